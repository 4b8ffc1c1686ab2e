/* cron_parser.cjs: what bench_calendar measures, of npm's cron-parser: EXPRESSION<tab>NANOSECONDS a line. */
'use strict';

const fs = require('node:fs');
const { CronExpressionParser } = require('cron-parser');

const [, , path, zone, first] = process.argv;
for (const expression of fs.readFileSync(path, 'utf8').trim().split('\n')) {
  const begin = process.hrtime.bigint();
  let took = 0n;
  let n = 0;
  while (took < 300_000_000n) {
    const cron = CronExpressionParser.parse(expression, { currentDate: new Date(first * 1000), tz: zone });
    for (let i = 0; i < 20; i++, n++) cron.next();
    took = process.hrtime.bigint() - begin;
  }
  console.log(`${expression}\t${took / BigInt(n)}`);
}
