// The page is the same file for every application; which one it speaks to is where the browser is.

/** The path that queries are posted to: this page's own, without trailing slashes. */
export const endpoint = location.pathname.replace(/\/+$/, '') || '/';

/** The same path with percent-encodings undone, for people to read. */
export const readableEndpoint = (() => {
  try {
    return decodeURIComponent(endpoint);
  } catch {
    return endpoint;
  }
})();
