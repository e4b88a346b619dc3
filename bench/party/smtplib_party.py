# smtplib: Python's own client: one connection, BENCH_COUNT messages.
import os
import smtplib
import ssl

job = {name[6:].lower(): value for name, value in os.environ.items() if name.startswith('BENCH_')}
to = ['b%d@example.com' % (i + 1) for i in range(int(job['recipients']))]
port = int(job['port'])
authority = {'capath' if os.path.isdir(job['ca']) else 'cafile': job['ca']}
context = ssl.create_default_context(**authority) if job['tls'] != 'none' else None
if job['tls'] == 'implicit':
    smtp = smtplib.SMTP_SSL('localhost', port, context=context)
else:
    smtp = smtplib.SMTP('localhost', port)
if job['tls'] == 'starttls':
    smtp.starttls(context=context)
smtp.login('user', 'secret')
with open(job['file'], 'rb') as file:
    message = file.read().decode('ascii')    # octets it would leave without CR
for _ in range(int(job['count'])):
    smtp.sendmail('a@example.com', to, message)
smtp.quit()
