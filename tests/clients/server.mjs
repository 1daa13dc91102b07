// Where the server is, and a key of the role operator; the integration tests set both.
export const url = process.env.THRONG_URL;
export const token = process.env.THRONG_TOKEN;
if (!url || !token) throw new Error("set THRONG_URL, such as http://127.0.0.1:8080/graphql, and THRONG_TOKEN");
export const headers = { authorization: `Bearer ${token}` };
