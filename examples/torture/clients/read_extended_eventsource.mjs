// What extended-eventsource reads of a stream: `npm install extended-eventsource`.
import { EventSource } from "extended-eventsource";

const source = new EventSource(process.argv[2], { disableRetry: true, disableLogger: true });
for (const type of ["message", "note"]) {
  source.addEventListener(type, (event) => console.log(event.type, JSON.stringify(event.data)));
}
