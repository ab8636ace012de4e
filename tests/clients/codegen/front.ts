// A front end that leans on the generated types.
import type { LandingQuery, LandingQueryVariables, ProductQuery, Shop_ProductDataset } from "./types";

export const variables: LandingQueryVariables = { filter: { uid: "product_landing" }, limit: 2 };

export function headlines(answer: LandingQuery): string[] {
  return (answer.pageRefs ?? []).flatMap((reference) => {
    const page = reference?.page;
    const headline = page?.__typename === "LandingPage" ? page.formData?.pt_headline?.value : undefined;
    return headline == null ? [] : [headline];
  });
}

export function total(answer: ProductQuery): number {
  return (answer.datasets_Shop_productDataset ?? []).reduce(
    (sum, product) => sum + (product?.formData?.tt_price?.value ?? 0),
    0,
  );
}

export const cacheKey = (product: Shop_ProductDataset): string => product._id ?? "";
