// nodemailer: BENCH_COUNT messages on one pooled connection.
const fs = require('fs');
const nodemailer = require('nodemailer');

const job = process.env;
const count = Number(job.BENCH_COUNT);
const to = Array.from({length: Number(job.BENCH_RECIPIENTS)}, (_, i) => `b${i + 1}@example.com`);
const isLarge = fs.statSync(job.BENCH_FILE).size >= 4e6;
const text = isLarge ? null : fs.readFileSync(job.BENCH_FILE);
const transport = nodemailer.createTransport({
    pool: true, maxConnections: 1, maxMessages: Infinity,
    host: 'localhost', port: Number(job.BENCH_PORT), secure: job.BENCH_TLS === 'implicit',
    requireTLS: job.BENCH_TLS === 'starttls', ignoreTLS: job.BENCH_TLS === 'none',
    tls: {ca: fs.readFileSync(fs.statSync(job.BENCH_CA).isDirectory() ? job.BENCH_CA_FILE : job.BENCH_CA)},
    auth: {user: 'user', pass: 'secret'},
});
const send = () => transport.sendMail({
    envelope: {from: 'a@example.com', to}, raw: isLarge ? fs.createReadStream(job.BENCH_FILE) : text,
});

(async () => {
    for (let i = 0; i < count; i++)
        await send();
    transport.close();
})().catch((error) => { console.error(error); process.exit(1); });
