// node web/e2e/scroll-cost.js: what scrolling through 10,000 messages costs the page, in milliseconds of script a scroll event.
import { chromium } from 'playwright-core';
import { Person } from './person.js';
import { System, eventually, unique } from './system.js';

const MESSAGES = 10_000;
const system = await System.start();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
try {
  const room = unique('ten-thousand');
  const writer = await Person.open(browser, system.url, unique('writer'), { room });
  const texts = Array.from({ length: MESSAGES }, (_, i) => `line ${i} ${'word '.repeat(i % 40)}`.trim());
  await writer.flood(room, texts);
  await writer.close();

  const reader = await Person.open(browser, system.url, unique('reader'), { room });
  await reader.sees(texts.at(-1));
  await reader.page.evaluate(() => {
    globalThis.costs = [];
    let began = 0;
    document.addEventListener('scroll', () => { began = performance.now(); }, { capture: true });
    document.querySelector('.scroller').addEventListener('scroll', () => costs.push(performance.now() - began));
  });
  const cdp = await reader.context.newCDPSession(reader.page);
  await cdp.send('Performance.enable');
  await cdp.send('HeapProfiler.enable');
  const report = async (what) => {
    await cdp.send('HeapProfiler.collectGarbage');
    const { metrics } = await cdp.send('Performance.getMetrics');
    const metric = (name) => metrics.find((m) => m.name === name).value;
    const costs = await reader.page.evaluate(() => globalThis.costs.splice(0).sort((a, b) => a - b));
    const at = (part) => costs[Math.min(costs.length - 1, Math.floor(costs.length * part))]?.toFixed(2);
    console.log(`${what}: ${costs.length} scroll events, script median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms; `
      + `${metric('Nodes')} nodes, heap ${(metric('JSHeapUsedSize') / 1e6).toFixed(1)} MB`);
  };
  await report('at the newest');
  await eventually('all are loaded', async () => {
    await reader.scrollUp(3000);
    return reader.page.locator('.edge', { hasText: 'This is the start' }).isVisible();
  }, 300_000);
  await report('up to the first, loading');
  for (let i = 0; i < 300; i++) await reader.scrollUp(-120);
  await report('a wheel step at a time, all loaded');
  for (let i = 0; i < 100; i++) await reader.scrollUp(-900);
  await report('900 px at a time, all loaded');
  await reader.button('Latest').click();
  await reader.page.evaluate(() => new Promise(requestAnimationFrame));
  await report('back at the newest');
} finally {
  await browser.close();
  await system.stop();
}
