/** Fields as in a mock file: those of mocks (`faults`, `priority`), and those of their answers (`timing`). */
export type Fields = Record<string, unknown>;

/** A request: text such as `POST /path`, or an object with the criteria of a matcher. */
export type Request = string | Record<string, unknown>;

/** A record of the admin API: a request of the journal, or a stream. */
export type Entry = Record<string, any>;

export interface Options {
  /** The key of the admin API; `MOCKD_API_KEY` if it is left out. */
  apiKey?: string;
  /** Longest wait for anything, in seconds, unless a call says otherwise: 4, as runners of tests give up after 5. */
  patienceSeconds?: number;
}

export interface Wait {
  timeoutSeconds?: number;
}

export interface Within {
  /** What is missing may still come for `patienceSeconds`, and then it is so at once. With this, it is so many seconds,
   * and all of them if one too many could still come. 0 is now. */
  withinSeconds?: number;
}

/** How often a request has come; without any bound at least once. */
export interface Claim extends Within {
  times?: number;
  atLeast?: number;
  atMost?: number;
  never?: boolean;
}

/** An expectation that is not met, or a refusal of the server with its `code`, `status` and `details`. */
export class MockdError extends Error {
  code?: string;
  status?: number;
  details?: Entry;
}

/** The server that runs at an admin address, http://localhost:4290 by default. */
export function connect(options?: Options & { admin?: string }): Promise<Server>;

/** A server on a free port, which ends with this process, however that ends. `command` is how mockd is called, such as
 * `["python", "-m", "mockd"]`; `args` are more words for `mockd serve`, such as a file with mocks for all tests. */
export function start(options?: Options & { command?: string[]; args?: string[] }): Promise<Server>;

/** A server for tests. */
export interface Server extends AsyncDisposable {
  /** The base URL of its mocks for requests without a key. */
  readonly url: string;
  /** The URL of its admin API. */
  readonly admin: string;
  /** A part of the server for one test, with a key that no other has. */
  test(name?: string): Mockd;
  /** The answer of any operation of the admin API, which may wait for so many seconds. */
  call(method: string, path: string, given?: { body?: unknown; query?: Fields; waits?: number }): Promise<any>;
  /** Stop the server, if `start` has started it. */
  close(): Promise<void>;
}

/** A part of a server for one test: mocks, streams, counters and a journal of its own. */
export interface Mockd extends AsyncDisposable {
  readonly server: Server;
  readonly key: string;
  /** The base URL for the test's clients, which ends in `/~` and the key. */
  readonly url: string;

  /** Answer a request with an event stream. An event is an object as in a mock file, or the data of one. If events are
   * null, a field says what is sent: `manual: true` is only what the test pushes. */
  sse(request: string, events?: Iterable<unknown> | null, fields?: Fields): Promise<MockHandle>;
  /** Answer a request with NDJSON: a line for each item. */
  ndjson(request: string, items: Iterable<unknown>, fields?: Fields): Promise<MockHandle>;
  /** Answer a request with a whole body: text, or a JSON value. */
  response(request: string, body?: unknown, status?: number, fields?: Fields): Promise<MockHandle>;
  /** Answer at the endpoint of a provider with a model's reply, streamed or whole as the request asks. `templateParams`
   * are more parameters of its template (`toolCalls`, `error`). Without content, the reply repeats the last message. */
  llm(text?: string | null, preset?: Provider, fields?: Fields & { templateParams?: Fields }): Promise<MockHandle>;
  /** Add the mocks of a JSON file, all of them or none. Returns the first; `mock` finds the others. Variables of the
   * environment are not filled in. */
  load(file: string): Promise<MockHandle>;
  /** The mock of that ID that answers the test: its own, or one that is there for all tests. */
  mock(id: string): Promise<MockHandle>;

  /** The requests of the test, oldest first. Filters are those of `GET /requests`: `path`, `mock`, `matched` … */
  requests(filters?: Fields): Promise<Entry[]>;
  /** Fail unless a request has come, as often as is claimed. */
  verify(request: Request, claim?: Claim): Promise<void>;
  /** Fail unless requests have come one after the other, with others between them or not. */
  verifyOrder(requests: Request[], within?: Within): Promise<void>;
  /** The requests of the test as a table: what came, which mock answered, and how each answer ended. */
  journal(): Promise<string>;
  /** Fail with a message and the journal. */
  fail(message: string): Promise<never>;
  /** Put counters, buffers, holds and the journal of the test back to the start. `mocks` removes its mocks too,
   * `streams` ends its live streams. */
  reset(also?: { mocks?: boolean; streams?: boolean }): Promise<void>;
  /** The answer of any operation of the admin API that takes a key, for that of the test. */
  call: Server["call"];
  /** End the streams of the test, and forget all that is kept for it. */
  close(): Promise<void>;
}

export type Provider =
  | "openai"
  | "openai-responses"
  | "azure"
  | "anthropic"
  | "gemini"
  | "mistral"
  | "cohere"
  | "ollama"
  | "vertex"
  | "vercel"
  | "ag-ui";

/** A mock that answers the requests of a test. */
export interface MockHandle {
  readonly id: string;
  /** The URL at which it answers. */
  readonly url: string;
  /** Hold the next stream behind so many events, or before its head. Later ones are not held unless `upcoming` says so
   * many, or "all". */
  holdAt(at: number | "head", more?: { upcoming?: number | "all" }): Promise<void>;
  /** Hold its live streams now, or behind so many events. Fails if there are none. */
  hold(at?: number | "head"): Promise<void>;
  /** Let so many events of each live stream out now, and hold it behind them. Fails if there are none. */
  step(count?: number): Promise<void>;
  /** Let a fault strike its live streams now, as `StreamHandle.cut` does. Fails if there are none. */
  cut(action: string, settings?: Fields): Promise<void>;
  /** Push an event into its live streams, and into those to which clients can come back: an object as in a mock's list,
   * or the data of one. For NDJSON it is the next item. */
  push(event: unknown): Promise<void>;
  /** Let all of its streams go on, and hold none that begin later. */
  release(): Promise<void>;
  /** End its live streams, as it says. */
  close(): Promise<void>;
  /** The next stream that this method has not given yet, live or ended, as soon as it has begun. */
  waitForStream(wait?: Wait): Promise<StreamHandle>;
}

/** A stream, live or ended. Its waits fail when their time is up, and at once if what they wait for can never be. */
export interface StreamHandle {
  /** The ID of its connection. */
  readonly id: string;
  /** Its record, as the admin API has it: `eventsSent`, `status`, `held`, `outcome` and so on. */
  state(): Promise<Entry>;
  /** Wait until so many events are sent. */
  waitReached(count: number, wait?: Wait): Promise<Entry>;
  /** Wait until it is held. */
  waitHeld(wait?: Wait): Promise<Entry>;
  /** Wait until it has ended; `outcome` says how. */
  waitEnded(wait?: Wait): Promise<Entry>;
  /** Hold it now, or behind so many events. */
  hold(at?: number | "head"): Promise<void>;
  /** Let so many events out now, and hold it behind them. */
  step(count?: number): Promise<void>;
  /** Let it go on. */
  release(): Promise<void>;
  /** Push an event now, also while it is held: an object as in a mock's list, or the data of one. For NDJSON it is the
   * next item. */
  push(event: unknown): Promise<void>;
  /** Let a fault strike now: an action such as "reset" with its settings, or a line such as "stall ms=50". */
  cut(action: string, settings?: Fields): Promise<void>;
  /** End it as its mock says. */
  close(): Promise<void>;
}
