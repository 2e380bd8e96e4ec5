import { rspack } from '@rspack/core';

// It adds the bundle's script to the page.
export default { plugins: [new rspack.HtmlRspackPlugin({ template: './page.html' })] };
