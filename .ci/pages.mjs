// Opens pages in Chromium on a phone, on a desk and on A4, light and dark: each element must lie within the page, and
// axe-core must find nothing. Screenshots are kept beside the pages.
// usage: node pages.mjs FOLDER CHROMIUM PAGE…   (a page is a file or a URL; puppeteer-core and axe-core stand in NODE_PATH)
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.env.NODE_PATH, "x.js"));
const puppeteer = require("puppeteer-core");
const axe = require.resolve("axe-core");

const [folder, chromium, ...pages] = process.argv.slice(2);
if (pages.length === 0) throw new Error("usage: node pages.mjs FOLDER CHROMIUM PAGE…");
mkdirSync(folder, { recursive: true });

const places = [
    { name: "390", width: 390, height: 844, media: "screen" },
    { name: "1280", width: 1280, height: 900, media: "screen" },
    { name: "a4", width: 688, height: 1000, media: "print" }, // A4 less its margins at 96 dpi
];

/** Elements that stick out of the page, but for what scrolls within itself and what is hidden from the eye. */
function beyond() {
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
        const box = element.getBoundingClientRect();
        if (box.width === 0 || box.height === 0 || (box.width <= 1 && box.height <= 1)) continue;
        if (element.closest("[class=skip]")) continue;
        let within = element.parentElement;
        while (within && !["auto", "scroll", "hidden"].includes(getComputedStyle(within).overflowX)) within = within.parentElement;
        if (within && within !== document.body && within !== document.documentElement) continue;
        if (box.right > innerWidth + 0.5 || box.left < -0.5) {
            found.push(`${element.tagName.toLowerCase()}.${element.className?.baseVal ?? element.className} ${Math.round(box.left)}–${Math.round(box.right)}`);
        }
    }
    return found;
}

const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu"] });
let faults = 0;
const fault = (words) => { console.error(words); faults += 1; };
for (const [number, address] of pages.entries()) {
    const url = existsSync(address) ? pathToFileURL(address).href : address;
    for (const { name, width, height, media } of places) {
        for (const scheme of media === "print" ? ["light"] : ["light", "dark"]) {
            const page = await browser.newPage();
            await page.setBypassCSP(true); // the page forbids scripts; axe-core is one
            await page.setViewport({ width, height });
            await page.emulateMediaType(media);
            await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
            const answer = await page.goto(url, { waitUntil: "load" });
            const where = `${address} at ${name}, ${scheme}`;
            if (answer && answer.status() >= 400 && !url.includes("unknown")) fault(`${where}: status ${answer.status()}`);
            const inner = await page.evaluate(() => innerWidth);
            if (inner !== width) fault(`${where}: the window is ${inner} wide`);
            for (const words of await page.evaluate(beyond)) fault(`${where}: sticks out: ${words}`);
            await page.addScriptTag({ path: axe });
            const { violations } = await page.evaluate(() => axe.run());
            for (const one of violations) {
                fault(`${where}: ${one.id}: ${one.help}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join("; ")}`);
            }
            await page.screenshot({ path: join(folder, `${number}-${name}-${scheme}.png`), fullPage: true });
            await page.close();
        }
    }
}
await browser.close();
console.log(`${pages.length} pages in ${places.length} sizes: ${faults} faults`);
process.exit(faults === 0 ? 0 : 1);
