// The form for a token. It goes nowhere but into this tab's storage and the head of each question.
import { useState } from "react";
import { setToken } from "../lib/session";
import { Mark } from "../ui/icons";

export function SignIn() {
  const [wrong, setWrong] = useState(false);
  return (
    <main className="sign-in">
      <form className="card" onSubmit={(event) => {
        event.preventDefault();
        const given = String(new FormData(event.currentTarget).get("token") ?? "").trim();
        // Anything else cannot stand in the head of a request.
        if (/^[\x21-\x7e]+$/.test(given)) setToken(given);
        else setWrong(true);
      }}>
        <Mark />
        <h1>See the crowd</h1>
        <p>How a channel does, and what kind of audience it has. Never who.</p>
        <label htmlFor="token">Token</label>
        <input id="token" name="token" type="password" autoComplete="off" spellCheck={false} required autoFocus placeholder="thr_…" aria-describedby="token-help" aria-invalid={wrong} />
        <p id="token-help" className="note">{wrong ? "A token has no spaces and plain letters only." : "Kept in this tab only, and gone with it."}</p>
        <button type="submit" className="primary">Open the dashboard</button>
        <p className="note apart">
          Tokens are made with <code>throng key create</code>; <code>throng demo</code> prints a link that brings one.
          For programs: <a href="playground">playground</a>, <a href="schema.graphql">schema</a>.
        </p>
      </form>
    </main>
  );
}
