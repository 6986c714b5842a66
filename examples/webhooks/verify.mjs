// Reads {content, headers, secret} from standard input; prints the id of an event that is signed well, else ends with 1.
import { Webhook } from "standardwebhooks";

let text = "";
for await (const part of process.stdin) text += part;
const { content, headers, secret } = JSON.parse(text);
try {
  console.log(new Webhook(secret).verify(content, headers).id);
} catch (error) {
  console.error(String(error));
  process.exit(1);
}
