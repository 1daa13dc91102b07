// What kind of audience a channel has, over one window of the catalogue.
import { AudienceDocument, type AudienceOfFragment } from "../gql/graphql";
import { windowOf } from "../lib/periods";
import { useRoute } from "../lib/route";
import { kindsOf, useShell, useView } from "../lib/shell";
import { CrowdView } from "../ui/crowd";
import { Answered, channelOf, NoChannel, Sealed, ViewHead } from "../ui/view";
import { WindowPicker } from "../ui/windows";

export default function Audience() {
  const route = useRoute();
  const shell = useShell();
  const asked = useView(AudienceDocument, {
    known: route.channel !== undefined,
    channel: route.channel ?? "",
    window: windowOf(route, kindsOf(shell, "CREATOR")),
  });
  const known = asked.data ? channelOf<AudienceOfFragment>(asked.data) : null;
  return (
    <>
      <ViewHead title="Audience" sub={known && <>{known.handle ?? known.id} · <Sealed through={known.sealedThrough} zone={known.timeZone} /></>}>
        <WindowPicker entity="CREATOR" shown={known?.audience.window ?? null} sealedThrough={known?.sealedThrough ?? null} />
      </ViewHead>
      <Answered asked={asked}>
        {(data) => {
          const channel = channelOf<AudienceOfFragment>(data);
          return channel ? <CrowdView crowd={channel.audience} entity="CREATOR" sealedThrough={channel.sealedThrough ?? null} /> : <NoChannel />;
        }}
      </Answered>
    </>
  );
}
