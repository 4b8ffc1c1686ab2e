/*
 * webhook.cjs: asks npm's standardwebhooks whether a request is signed. Reads lines of JSON, {secret, headers, body};
 * writes "ok", or why not. Run with NODE_PATH naming the folder of its modules.
 */
'use strict';

const readline = require('node:readline');
const { Webhook } = require('standardwebhooks');

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { secret, headers, body } = JSON.parse(line);
  try {
    new Webhook(secret).verify(body, headers);
    console.log('ok');
  } catch (error) {
    console.log(error.message);
  }
});
