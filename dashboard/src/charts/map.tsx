// The countries of a breakdown on the world, deeper where more viewers are. Countries without a disclosed row stay plain:
// nothing is known of them here, and nothing is hinted at.
import { geoEqualEarth, geoPath } from "d3-geo";
import { scaleSqrt } from "d3-scale";
import { useMemo, useState } from "react";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import atlas from "world-atlas/countries-110m.json";
import { full, percent } from "../lib/format";
import { marginOf, type Measure, shareOf, valueOf } from "../lib/measure";
import { countryLabel } from "../lib/words";
import { NUMBERS } from "./countries";
import { useWidth } from "./size";

export type CountryRow = { key: string; share?: number | null; measure: Measure };

const world = atlas as unknown as Topology<{ countries: GeometryCollection<{ name: string }> }>;
const SHAPES = feature(world, world.objects.countries).features.filter((shape) => shape.id !== "010"); // without Antarctica
const RATIO = 0.48;

export function WorldMap({ rows }: { rows: CountryRow[] }) {
  const [box, width] = useWidth();
  const [at, setAt] = useState<string | null>(null);
  const height = Math.round(width * RATIO);
  const paths = useMemo(() => {
    if (width === 0) return [];
    const draw = geoPath(geoEqualEarth().rotate([-11, 0]).fitSize([width, height], { type: "FeatureCollection", features: SHAPES }));
    return SHAPES.map((shape) => ({ id: String(shape.id), name: shape.properties.name, d: draw(shape) ?? "" }));
  }, [width, height]);
  const known = new Map(rows.filter((row) => valueOf(row.measure) !== null).map((row) => [NUMBERS[row.key], row]));
  const most = Math.max(1, ...rows.filter((row) => row.key !== "unknown").map((row) => valueOf(row.measure) ?? 0));
  const depth = scaleSqrt([0, most], [0.5, 6.49]);
  const chosen = at === null ? undefined : known.get(at);
  const name = at === null ? undefined : paths.find((path) => path.id === at)?.name;
  return (
    <div className="plot" ref={box} style={{ aspectRatio: `1 / ${RATIO}` }}>
      {width > 0 && (
        <svg className="chart map" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Viewers by country, a world map with ${known.size} countries shown. The list beside has all of them.`} onPointerLeave={() => setAt(null)}>
          {paths.map((path) => {
            const row = known.get(path.id);
            return <path key={path.id || path.name} d={path.d} className={row ? `country depth-${Math.max(1, Math.round(depth(valueOf(row.measure) ?? 0)))}` : "country"} onPointerEnter={() => setAt(path.id)} onPointerDown={() => setAt(path.id)} />;
          })}
        </svg>
      )}
      <p className="readout" aria-hidden="true">
        {chosen ? <><b>{countryLabel(chosen.key)}</b> {full(valueOf(chosen.measure) ?? 0)} ± {full(marginOf(chosen.measure) ?? 0)} viewers, {percent(shareOf(chosen) ?? 0)}</>
          : name ? <><b>{name}</b> nothing disclosed</> : <>Plain countries: no one, or too few to be shown</>}
      </p>
    </div>
  );
}
