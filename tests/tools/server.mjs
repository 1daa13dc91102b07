// Where the server is, a channel of a demo and its key; the integration tests set all three.
export const url = process.env.THRONG_URL;
export const token = process.env.THRONG_TOKEN;
export const creator = process.env.THRONG_CREATOR;
if (!url || !token || !creator) {
  throw new Error("set THRONG_URL, such as http://127.0.0.1:8080/graphql, THRONG_TOKEN and THRONG_CREATOR");
}

// The data of an answer without errors.
export async function ask(query, variables = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}
