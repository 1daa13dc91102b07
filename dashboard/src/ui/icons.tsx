// Line icons, 20 × 20, drawn in the colour of the text around them.
const PATHS = {
  overview: "M3 16.5h14M5 13.5V9m4 4.5v-9m4 9V7m4 6.5V4",
  audience: "M7 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm-5 7a5 5 0 0 1 10 0m1-13.2a3 3 0 0 1 0 6m5 7.2a5 5 0 0 0-3.3-4.7",
  content: "M4.5 3h11A1.5 1.5 0 0 1 17 4.500v11a1.5 1.5 0 0 1-1.5 1.500h-11A1.5 1.5 0 0 1 3 15.500v-11A1.5 1.5 0 0 1 4.5 3ZM8.5 7.200v5.600l4.5-2.8-4.5-2.800Z",
  compare: "M6.5 3.500v13m7-13v13M3.5 6.500l3-3 3 3m1 7 3 3 3-3",
  privacy: "M10 2.5 4 5v4.500c0 3.7 2.5 6.7 6 8 3.5-1.3 6-4.3 6-8V5l-6-2.500Zm-2.5 7.3 1.8 1.8 3.3-3.5",
  sun: "M10 13.500a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10 2v1.500m0 13V18m8-8h-1.500M3.5 10H2m13.7-5.7-1.1 1.100M5.4 14.600l-1.1 1.100m11.4 0-1.1-1.100M5.4 5.4 4.3 4.3",
  moon: "M16.5 11.800A7 7 0 0 1 8.2 3.500a7 7 0 1 0 8.3 8.300Z",
  system: "M3.5 4h13v9h-13V4Zm4 12.500h5M10 13v3.5",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  table: "M3.5 4.500h13v11h-13v-11Zm0 3.700h13m-13 3.600h13M8 8.200v7.3",
  chart: "M3.5 3.500v13h13M6.5 12.500l3-4 3 2.5 4-5.5",
  file: "M10 3v9m0 0 3.5-3.500M10 12 6.5 8.500M3.5 13.500v3h13v-3",
  previous: "M12 4.5 6.5 10l5.5 5.5",
  next: "M8 4.500l5.5 5.500L8 15.5",
  calendar: "M3.5 5h13v11.5h-13V5Zm0 4h13M7 3v3.5m6-3.5v3.5",
  out: "M8 3.500H4.500v13H8M12.5 6.5 16 10l-3.5 3.500M16 10H8",
  check: "M4.5 10.5 8.5 14.5 15.5 6",
  down: "M5 7.500l5 5 5-5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  const mirrored = name === "previous" || name === "next" || name === "out";
  return (
    <svg className={mirrored ? "icon mirrored" : "icon"} viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" strokeWidth={name === "more" ? 2.4 : 1.6} strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

export function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false" className="mark">
      <rect width="32" height="32" rx="9" />
      <g className="dots">
        <circle cx="9" cy="20.5" r="2.3" /><circle cx="16" cy="17" r="2.9" /><circle cx="23" cy="20.5" r="2.3" />
        <circle cx="12.2" cy="11" r="1.9" /><circle cx="20" cy="11" r="1.9" /><circle cx="16" cy="24" r="1.7" />
      </g>
    </svg>
  );
}
