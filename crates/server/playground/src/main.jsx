// The playground: GraphiQL with an explorer, sample queries and a token field, talking only to the server that served it.
import "./workers.js";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createClient } from "graphql-ws";
import { useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import { sampleTabs } from "./samples.js";
import { isToken, readActiveTab, readToken, takeFragment, writeToken } from "./session.js";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/plugin-explorer/style.css";
import "graphiql/graphiql.css";
import "./style.css";

const ENDPOINT = new URL("../graphql", import.meta.url);
const SOCKET = new URL(ENDPOINT);
SOCKET.protocol = ENDPOINT.protocol.replace("http", "ws");

// A browser cannot set headers on a WebSocket: the token travels in the `connection_init` message instead.
function fetcherWith(token) {
  const authorization = token ? { Authorization: `Bearer ${token}` } : {};
  return createGraphiQLFetcher({
    url: ENDPOINT.href,
    headers: authorization,
    enableIncrementalDelivery: false,
    wsClient: createClient({ url: SOCKET.href, connectionParams: authorization }),
  });
}

const PLUGINS = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

// GraphiQL fills its editors from `initialQuery` and `initialVariables`, and then finds the tab that holds both.
function Playground({ tabs, active }) {
  const [token, setToken] = useState(readToken);
  const fetcher = useMemo(() => fetcherWith(token), [token]);
  const change = (next) => {
    writeToken(next);
    setToken(next);
  };
  return (
    <>
      <TokenBar token={token} onChange={change} />
      <main>
        <GraphiQL
          fetcher={fetcher}
          storage={sessionStorage}
          defaultTabs={tabs}
          initialQuery={active.query ?? ""}
          initialVariables={active.variables ?? ""}
          defaultEditorToolsVisibility="variables"
          inputValueDeprecation
          plugins={PLUGINS}
        >
          <GraphiQL.Logo>
            <></>
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

function TokenBar({ token, onChange }) {
  const [draft, setDraft] = useState(token);
  const text = draft.trim();
  const valid = text === "" || isToken(text);
  const submit = (event) => {
    event.preventDefault();
    if (valid) onChange(text);
  };
  const forget = () => {
    setDraft("");
    onChange("");
  };
  return (
    <header className="bar">
      <h1>Throng playground</h1>
      <form onSubmit={submit}>
        <label htmlFor="token">Bearer token</label>
        <input
          id="token"
          type="password"
          autoComplete="off"
          spellCheck="false"
          placeholder="paste a key"
          aria-invalid={!valid}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
        />
        <button type="submit" disabled={!valid || text === token}>
          Use
        </button>
        <button type="button" disabled={!token && !draft} onClick={forget}>
          Forget
        </button>
      </form>
      <p role="status">{statusOf(token, text, valid)}</p>
    </header>
  );
}

function statusOf(token, text, valid) {
  if (!valid) return "A token has no spaces and only ASCII characters.";
  if (text !== token) return "Not in use yet.";
  return token ? "Sent with each request; kept until this tab closes." : "No token: only Privacy and Status answer. `throng key create` makes one.";
}

const tabs = sampleTabs(takeFragment());
// A link pasted into an open playground changes only the fragment; start over to take it in.
addEventListener("hashchange", () => /[#&](token|creator)=/.test(location.hash) && location.reload());
createRoot(document.getElementById("root")).render(<Playground tabs={tabs} active={readActiveTab() ?? tabs[0]} />);
