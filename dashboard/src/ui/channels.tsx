// Which channel is looked at, where the token sees several.
import { useState } from "react";
import { go, toView, useRoute } from "../lib/route";
import type { Shell } from "../lib/shell";
import { Icon } from "./icons";

export function ChannelPicker({ shell }: { shell: Shell }) {
  const route = useRoute();
  const [typing, setTyping] = useState(false);
  const channels = shell.channels.edges.map((edge) => edge.node);
  const shown = route.channel ?? channels[0]?.id ?? "";
  const view = route.view === "video" ? "content" : route.view;
  const choose = (channel: string) => go({ ...(view === route.view ? route : toView(route, view)), channel });
  const known = channels.some((channel) => channel.id === shown);
  if (channels.length <= 1 && known) {
    const [only] = channels;
    return only ? <p className="channel-only"><span className="avatar" aria-hidden="true">{initial(only.handle ?? only.id)}</span><b>{only.handle ?? only.id}</b></p> : null;
  }
  if (typing)
    return (
      <form className="channel-form" onSubmit={(event) => {
        event.preventDefault();
        const id = String(new FormData(event.currentTarget).get("id") ?? "").trim();
        if (id) choose(id);
        setTyping(false);
      }}>
        <label className="unseen" htmlFor="channel-id">The channel’s id</label>
        <input id="channel-id" name="id" placeholder="Channel id" defaultValue={shown} autoFocus maxLength={64} autoComplete="off" />
        <button type="submit" aria-label="Show this channel"><Icon name="check" /></button>
      </form>
    );
  return (
    <label className="select channel">
      <span className="unseen">Channel</span>
      <select value={shown} onChange={(event) => event.target.value === MORE ? setTyping(true) : choose(event.target.value)}>
        {!known && shown && <option value={shown}>{shown}</option>}
        {channels.map((channel) => <option key={channel.id} value={channel.id}>{channel.handle ?? channel.id}</option>)}
        {shell.channels.pageInfo.hasNextPage && <option value={MORE}>Another, by its id …</option>}
      </select>
      <Icon name="down" />
    </label>
  );
}

/** No id: those have no line breaks. */
const MORE = "\n";

function initial(name: string): string {
  return [...name][0]?.toLocaleUpperCase() ?? "";
}
