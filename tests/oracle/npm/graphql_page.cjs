// An explorer in a real browser: graphql_page.cjs BROWSER PAGE EDITOR ANSWER. Reads {query, wait} a line, types the query
// into EDITOR, asks by Ctrl+Enter and waits until ANSWER shows the words of `wait`. Says {shown} a line, {waiting} before
// it waits, and at the end of the input {title, asked, wrong}: every address that was asked for, and what the console said.
"use strict";
const puppeteer = require("puppeteer-core");
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const PATIENCE = 60000;

async function main([executablePath, url, editor, answer]) {
  const browser = await puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-background-networking"] });
  try {
    const page = await browser.newPage();
    const asked = [];
    const wrong = [];
    page.setDefaultTimeout(PATIENCE);
    await page.setViewport({ width: 1400, height: 900 });
    page.on("request", (request) => asked.push(request.url()));
    page.on("console", (message) => wrong.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => wrong.push(String(error)));
    page.on("requestfailed", (request) => wrong.push(`failed: ${request.url()}`));
    await page.goto(url, { waitUntil: "load", timeout: PATIENCE });
    await page.waitForSelector(editor);
    for await (const line of require("node:readline").createInterface({ input: process.stdin })) {
      const { query, wait } = JSON.parse(line);
      await page.click(editor);
      await page.keyboard.down("Control");
      await page.keyboard.press("KeyA");
      await page.keyboard.up("Control");
      await page.keyboard.type(query);
      await page.keyboard.down("Control");
      await page.keyboard.press("Enter");
      await page.keyboard.up("Control");
      say({ waiting: true });
      await page.waitForFunction(
        (place, words) => document.querySelector(place)?.textContent.includes(words), {}, answer, wait);
      say({ shown: await page.$eval(answer, (e) => e.textContent) });
    }
    say({ title: await page.title(), asked, wrong });
  } finally {
    await browser.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
