// Choices in a row, and steps through time.
import { useId } from "react";
import { Icon } from "./icons";

export type Option<T extends string> = { value: T; label: string };

/** One of a few: radio buttons that look like a switch. */
export function Segmented<T extends string>({ label, options, value, choose }: { label: string; options: Option<T>[]; value: T; choose: (value: T) => void }) {
  const name = useId();
  return (
    <fieldset className="segmented">
      <legend className="unseen">{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input type="radio" name={name} checked={option.value === value} onChange={() => choose(option.value)} />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function Select<T extends string>({ label, options, value, choose, shown = false }: { label: string; options: Option<T>[]; value: T; choose: (value: T) => void; shown?: boolean }) {
  return (
    <label className="select">
      <span className={shown ? "select-label" : "unseen"}>{label}</span>
      <select value={value} onChange={(event) => choose(event.target.value as T)}>
        {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
      </select>
      <Icon name="down" />
    </label>
  );
}

type Steps = {
  text: string;
  earlier: boolean;
  later: boolean;
  onEarlier: () => void;
  onLater: () => void;
  /** The day that a jump begins at, and the last one that it may reach. */
  day: string;
  last: string;
  jump: (day: string) => void;
};

/** What is shown now, between earlier and later, with a calendar for longer ways. */
export function Stepper({ text, earlier, later, onEarlier, onLater, day, last, jump }: Steps) {
  return (
    <div className="stepper" role="group" aria-label="Period">
      <button type="button" aria-label="Earlier" disabled={!earlier} onClick={onEarlier}><Icon name="previous" /></button>
      <span aria-live="polite"><bdi>{text}</bdi></span>
      <button type="button" aria-label="Later" disabled={!later} onClick={onLater}><Icon name="next" /></button>
      <label className="jump" title="Go to a date">
        <Icon name="calendar" />
        <input
          type="date" aria-label="Go to a date" key={day} defaultValue={day} max={last} required
          onClick={(event) => event.currentTarget.showPicker()} onChange={(event) => event.target.validity.valid && event.target.value && jump(event.target.value)}
        />
      </label>
    </div>
  );
}
