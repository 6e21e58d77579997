// Node's fetch: node clients.mjs URL TOKEN; prints the status with the token and without.
const [url, token] = process.argv.slice(2);
const good = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
const none = await fetch(url);
console.log(good.status, none.status, (await none.json()).reason);
