// What event-source-polyfill reads of a stream: `npm install event-source-polyfill`.
import { EventSourcePolyfill } from "event-source-polyfill";

const source = new EventSourcePolyfill(process.argv[2]);
for (const type of ["message", "note"]) {
  source.addEventListener(type, (event) => console.log(event.type, JSON.stringify(event.data)));
}
source.onerror = () => process.exit(); // it would come back for ever
