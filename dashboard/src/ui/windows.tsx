// Which window of the catalogue the insights are about: nothing else is offered.
import type { EntityKind } from "../gql/graphql";
import { days } from "../lib/format";
import { around, byAge, hasNext, KIND_LABELS, KINDS, shifted, type Span, windowOf } from "../lib/periods";
import { go, useRoute } from "../lib/route";
import { kindsOf, useShell } from "../lib/shell";
import { Segmented, Select, Stepper } from "./controls";

export function WindowPicker({ entity, shown, sealedThrough, usual = "LAST_28_DAYS" }: { entity: EntityKind; shown: Span | null; sealedThrough: string | null; usual?: Span["kind"] }) {
  const route = useRoute();
  const shell = useShell();
  const { kind } = windowOf(route, kindsOf(shell, entity), usual);
  const kinds = kindsOf(shell, entity) ?? KINDS.filter((kind) => entity === "VIDEO" || !byAge(kind));
  const { date: _date, ...rest } = route;
  const options = kinds.map((value) => ({ value, label: KIND_LABELS[value] }));
  const choose = (window: Span["kind"]) => go({ ...rest, window });
  const step = shell?.privacy.rollingStepDays ?? 7;
  const move = (steps: number) => shown && go({ ...rest, window: kind, date: shifted(shown, steps, step) });
  const from = shell?.privacy.eventsKeptFrom;
  return (
    <>
      {options.length > 6
        ? <Select label="Window" options={options} value={kind} choose={choose} />
        : <Segmented label="Window" options={options} value={kind} choose={choose} />}
      {shown && !byAge(kind) && (
        <Stepper
          text={days(shown.from, shown.to)} onEarlier={() => move(-1)} onLater={() => move(1)}
          day={shown.to} last={sealedThrough ?? shown.to} jump={(day) => go({ ...rest, window: kind, date: around(kind, day, sealedThrough ?? shown.to, step).to })}
          earlier={!from || shown.from > from} later={hasNext(shown, sealedThrough, step)}
        />
      )}
    </>
  );
}
