# smtplib: Python's own client: one connection, BENCH_COUNT messages.
import os
import smtplib
import ssl

job = {name[6:].lower(): value for name, value in os.environ.items() if name.startswith('BENCH_')}
to = ['b%d@example.com' % (i + 1) for i in range(int(job['recipients']))]
port = int(job['port'])
context = ssl.create_default_context(cafile=job['ca']) if job['tls'] != 'none' else None
if job['tls'] == 'implicit':
    smtp = smtplib.SMTP_SSL('localhost', port, context=context)
else:
    smtp = smtplib.SMTP('localhost', port)
if job['tls'] == 'starttls':
    smtp.starttls(context=context)
smtp.login('user', 'secret')
with open(job['file'], 'rb') as file:
    message = file.read()
for _ in range(int(job['count'])):
    smtp.sendmail('a@example.com', to, message)
smtp.quit()
