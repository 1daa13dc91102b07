// What kind of audience a channel has, over one window of the catalogue.
import { AudienceDocument } from "../gql/graphql";
import { windowOf } from "../lib/periods";
import { useRoute } from "../lib/route";
import { kindsOf, useShell, useView } from "../lib/shell";
import { CrowdView } from "../ui/crowd";
import { Answered, channelOf, granted, NoChannel, NotGranted, Sealed, ViewHead } from "../ui/view";
import { WindowPicker } from "../ui/windows";

export default function Audience() {
  const route = useRoute();
  const shell = useShell();
  const asked = useView(AudienceDocument, {
    known: route.channel !== undefined,
    channel: route.channel ?? "",
    window: windowOf(route, kindsOf(shell, "CREATOR")),
  });
  const known = asked.data ? channelOf(asked.data.who, asked.data.whoFirst) : null;
  const shown = known && asked.data ? granted(known, asked.data.crowd, asked.data.crowdFirst) : null;
  return (
    <>
      <ViewHead title="Audience" sub={known && <>{known.handle ?? known.id} · <Sealed through={known.sealedThrough} zone={known.timeZone} /></>}>
        <WindowPicker entity="CREATOR" shown={shown?.audience.window ?? null} sealedThrough={known?.sealedThrough ?? null} />
      </ViewHead>
      <Answered asked={asked}>
        {() => {
          if (!known) return <NoChannel />;
          return shown ? <CrowdView crowd={shown.audience} entity="CREATOR" sealedThrough={known.sealedThrough ?? null} /> : <NotGranted what="insights" />;
        }}
      </Answered>
    </>
  );
}
