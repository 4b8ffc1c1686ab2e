/*
 * ask.cjs: asks a cron library of npm. Run with NODE_PATH naming the folder of its modules:
 *   node ask.cjs next cron-parser|croner  reads "EXPRESSION<tab>ZONE<tab>SECOND" lines, writes the next occurrence's
 *                                         second, or "error: TEXT"
 *   node ask.cjs offsets                  reads "ZONE<tab>SECOND..." lines, writes the offsets in seconds
 */
'use strict';

const readline = require('node:readline');

/* An expression with its zone is parsed once: lines with the same two follow each other. */
function nextBy(make) {
  let known = null;
  let ask = null;
  return (line) => {
    const [expression, zone, second] = line.split('\t');
    const key = `${expression}\t${zone}`;
    if (key !== known) {
      ask = make(expression, zone);
      known = key;
    }
    return ask(Number(second));
  };
}

function cronParser() {
  const { CronExpressionParser } = require('cron-parser');
  return nextBy((expression, zone) => {
    const cron = CronExpressionParser.parse(expression, { tz: zone });
    return (second) => {
      cron.reset(new Date(second * 1000));
      return cron.next().getTime() / 1000;
    };
  });
}

function croner() {
  const { Cron } = require('croner');
  return nextBy((expression, zone) => {
    const cron = new Cron(expression, { timezone: zone, paused: true });
    return (second) => {
      const next = cron.nextRun(new Date(second * 1000));
      return next === null ? 'none' : next.getTime() / 1000;
    };
  });
}

function offsets() {
  return (line) => {
    const [zone, ...seconds] = line.split('\t');
    const { IANAZone } = require('luxon');
    const known = new IANAZone(zone);
    return known.isValid ? seconds.map((s) => Math.round(known.offset(s * 1000) * 60)).join(' ') : 'unknown';
  };
}

const kinds = { 'cron-parser': cronParser, croner };
const answer = process.argv[2] === 'offsets' ? offsets() : kinds[process.argv[3]]();

let out = [];
const lines = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on('line', (line) => {
  try {
    out.push(String(answer(line)));
  } catch (error) {
    out.push(`error: ${error.message.replaceAll('\n', ' ')}`);
  }
  if (out.length >= 10000) {
    process.stdout.write(`${out.join('\n')}\n`);
    out = [];
  }
});
lines.on('close', () => {
  if (out.length > 0) process.stdout.write(`${out.join('\n')}\n`);
});
