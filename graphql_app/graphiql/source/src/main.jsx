import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';
import { createRoot } from 'react-dom/client';
import { readableEndpoint } from './address.js';
import { App } from './app.jsx';

document.title = `${readableEndpoint.replace(/^\/graphql\//, '')} · GraphiQL · OpenCaaS`;
createRoot(document.getElementById('root')).render(<App />);
