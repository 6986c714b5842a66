// A receiver: verifies each webhook, takes it once, and answers before it does anything with it.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const taken = new Set(); // a table, where it must outlive the process

createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  let event;
  try {
    event = webhook.verify(body, request.headers);
  } catch {
    return response.writeHead(400).end("not signed by us");
  }
  response.writeHead(204).end();
  if (!taken.has(event.id)) {
    taken.add(event.id);
    console.log(event.type, event.subject, event.data);
  }
}).listen(Number(process.env.PORT ?? 8090));
