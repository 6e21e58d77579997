// A headless Chromium of the system, furnished by tests/run.sh. It ends with its caller.
//
// const browser = await launch();         // or launch(["--host-resolver-rules=MAP app.example.com 127.0.0.1"])
// const page = await browser.newPage();
// await page.goto(url); console.log(await page.evaluate(() => document.title));
// await browser.close();
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const candidates = ["/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser"];

/** A browser with a profile of its own that calls nobody by itself; `more` are further switches. */
export async function launch(more = []) {
  const executablePath = candidates.find((path) => existsSync(path));
  if (!executablePath) {
    throw new Error("no Chromium is installed; ./tests/run.sh installs it");
  }
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });
}
