// What a view shows while there is nothing to show.
import type { ReactNode } from "react";
import { type Failure, useCountdown } from "../lib/client";
import { setToken } from "../lib/session";

export function Skeleton({ rows = 3 }: { rows?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      <div className="skeleton-tiles">{Array.from({ length: 6 }, (_, index) => <i key={index} />)}</div>
      {Array.from({ length: rows }, (_, index) => <i key={index} className="skeleton-block" />)}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state card">
      <span className="state-mark" aria-hidden="true" />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failed({ failure, again }: { failure: Failure; again: () => void }) {
  switch (failure.kind) {
    case "limited": return <Limited seconds={failure.seconds} key={failure.seconds} again={again} failure={failure} />;
    case "unauthenticated":
      return (
        <div className="state card" role="alert">
          <h2>This token is not known</h2>
          <p>It may have expired or been revoked, or it is that of another server.</p>
          <button type="button" className="primary" onClick={() => setToken(null)}>Use another token</button>
        </div>
      );
    case "unreachable":
      return (
        <div className="state card" role="alert">
          <h2>The server does not answer</h2>
          <p>Nothing is lost. Look whether it runs, then try again.</p>
          <button type="button" className="primary" onClick={again}>Try again</button>
        </div>
      );
    case "refused":
      return (
        <div className="state card" role="alert">
          <h2>{failure.code === "FORBIDDEN" ? "This token may not read" : "The server refused this question"}</h2>
          <p>{failure.message}</p>
          <div className="state-actions">
            <button type="button" className="primary" onClick={again}>Try again</button>
            <button type="button" onClick={() => setToken(null)}>Use another token</button>
          </div>
        </div>
      );
  }
}

function Limited({ seconds, again, failure }: { seconds: number; again: () => void; failure: Failure }) {
  const left = useCountdown(seconds, failure);
  return (
    <div className="state card" role="status">
      <h2>A short pause</h2>
      <p>Many questions were asked with this token. The next one goes out by itself{left > 0 ? ` in ${left} s` : " now"}.</p>
      <button type="button" onClick={again}>Ask now</button>
    </div>
  );
}
