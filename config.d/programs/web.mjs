// A web server on PORT. SIGTERM: no new connections, the open ones are served to their end.
import { createServer } from 'node:http';

const port = Number(process.env.PORT);
const server = createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  response.end(`${process.env.GREETING}\n`);
});

server.listen(port, () => console.log(`listening on http://localhost:${port}`));
process.on('SIGTERM', () => {
  console.log('stopping');
  server.close(() => process.exit(0));
});
