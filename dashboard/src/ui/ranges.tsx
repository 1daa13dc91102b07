// Which days the counters are about.
import type { Granularity } from "../gql/graphql";
import { granularities, type Period, PERIODS, type Range } from "../lib/periods";
import { go, useRoute } from "../lib/route";
import { Segmented, Select } from "./controls";

const LABELS: Record<Period, string> = { "7": "7 days", "28": "28 days", "90": "90 days", "365": "Year", range: "Dates" };
const STEPS: Record<Granularity, string> = { HOUR: "Hourly", DAY: "Daily", WEEK: "Weekly", MONTH: "Monthly", QUARTER: "Quarterly", YEAR: "Yearly" };

export function RangePicker({ range, shown }: { range: Range; shown: { from: string; to: string } | null }) {
  const { step: _step, ...route } = useRoute();
  const choose = (period: Period) => {
    const { from: _from, to: _to, ...rest } = route;
    if (period === "range") go({ ...rest, period, ...(shown ?? {}) });
    else go({ ...rest, period });
  };
  return (
    <>
      <Segmented label="Period" options={[...PERIODS, "range" as const].map((value) => ({ value, label: LABELS[value] }))} value={range.period} choose={choose} />
      {range.period === "range" && (
        <div className="dates">
          <DateField label="From" value={range.input.from ?? ""} max={range.input.to ?? ""} change={(from) => go({ ...route, from })} />
          <span aria-hidden="true">–</span>
          <DateField label="To" value={range.input.to ?? ""} min={range.input.from ?? ""} change={(to) => go({ ...route, to })} />
        </div>
      )}
    </>
  );
}

/** `max`: today where nothing else bounds it, since the days to come have no numbers. */
export function DateField({ label, value, min = "", max = new Date().toLocaleDateString("sv"), change }: { label: string; value: string; min?: string; max?: string; change: (day: string) => void }) {
  return (
    <label className="date">
      <span className="unseen">{label}</span>
      <input type="date" value={value} min={min || undefined} max={max || undefined} required onChange={(event) => event.target.validity.valid && event.target.value && change(event.target.value)} />
    </label>
  );
}

export function StepPicker({ days, step }: { days: number; step: Granularity }) {
  const route = useRoute();
  const options = granularities(days).map((value) => ({ value, label: STEPS[value] }));
  return options.length > 1 ? <Select label="Steps" options={options} value={step} choose={(step) => go({ ...route, step })} /> : null;
}
