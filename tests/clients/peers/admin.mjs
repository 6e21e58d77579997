// The admin page in headless Chromium, on a telephone and on a desk: node admin.mjs ADMIN, which is host:port. Prints
// `ready`, and one JSON object: by how many pixels the page is wider than each window, how high it is, and what the browser
// complained of.
import { launch } from "../browser.mjs";

const told = { complaints: [] };
const browser = await launch();
console.log("ready");
for (const width of [360, 1280]) {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  page.on("console", (message) => told.complaints.push(message.text()));
  await page.goto(`http://${process.argv[2]}/`);
  told[width] = await page.evaluate(() => {
    const { scrollWidth, clientWidth, scrollHeight } = document.documentElement;
    return { over: scrollWidth - clientWidth, height: scrollHeight };
  });
}
await browser.close();
console.log(JSON.stringify(told));
