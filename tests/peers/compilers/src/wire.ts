// How the programs beside this file reach the server: a document is named by its id, never sent.
export const [, , url = "", date = ""] = process.argv;

export interface Answer<Data> {
  data?: Data | null;
  errors?: ReadonlyArray<{ message: string }>;
}

export async function post<Data>(documentId: string, variables: object): Promise<Answer<Data>> {
  const headers = { "Content-Type": "application/json", Accept: "application/graphql-response+json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ documentId, variables }) });
  return (await response.json()) as Answer<Data>;
}

// The first event of a stream, as server-sent events carry it.
export async function firstEvent<Data>(documentId: string, variables: object): Promise<Answer<Data>> {
  const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
  const body = JSON.stringify({ documentId, variables });
  const response = await fetch(url, { method: "POST", headers, body });
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const data = /^data: ?(.+)$/m.exec(text.slice(0, text.lastIndexOf("\n\n") + 1));
    if (data?.[1]) return JSON.parse(data[1]) as Answer<Data>;
  }
  throw new Error(`the stream ended with ${text}`);
}

export function finish(running: Promise<object>): void {
  running.then(
    (seen) => {
      console.log(JSON.stringify(seen));
      process.exit(0);
    },
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}
