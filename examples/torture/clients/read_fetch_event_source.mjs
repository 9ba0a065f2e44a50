// What @microsoft/fetch-event-source reads of a stream: `npm install @microsoft/fetch-event-source`.
// It is made for browsers, and needs as much of one:
globalThis.window = globalThis;
globalThis.document = { addEventListener() {}, removeEventListener() {} };

const { fetchEventSource } = await import("@microsoft/fetch-event-source");

await fetchEventSource(process.argv[2], {
  openWhenHidden: true,
  onmessage: (event) => console.log(event.event, JSON.stringify(event.data)),
  onerror: (error) => {
    throw error;
  },
});
