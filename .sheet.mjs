import { chromium } from 'playwright-core'; import { readFileSync } from 'node:fs';
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox','--disable-gpu']});
const p=await b.newPage({viewport:{width:1750,height:640}});
for (const t of process.argv[2].split(',')) {
 const imgs=(process.argv[3]??'empty,waiting,thinking,accepted,failed').split(',').map(n=>`<img src="data:image/png;base64,${readFileSync(`/tmp/shots/${t}-${n}.png`).toString('base64')}" style="margin-right:8px">`).join('');
 await p.setContent(`<body style="margin:0;background:#888;display:flex">${imgs}</body>`); await p.screenshot({path:`/tmp/shots/sheet-${t}.png`}); }
await b.close();
