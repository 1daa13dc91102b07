// Charts as files, made in the page: nothing is asked of the server again.

export function download(name: string, body: Blob): void {
  const url = URL.createObjectURL(body);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Excel takes a file for UTF-8 only behind a byte order mark. */
export function downloadCsv(name: string, text: string): void {
  download(`${name}.csv`, new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
}

const SVG = "http://www.w3.org/2000/svg";
const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "stroke-opacity", "opacity",
  "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "direction", "visibility", "display", "stop-color", "stop-opacity",
];
const PAD = 24;
const HEAD = 56;
const SCALE = 2;

/** The chart as it looks now, under its title, twice as dense as the screen's pixels. */
export async function downloadPng(name: string, chart: SVGSVGElement, title: string, note: string): Promise<void> {
  const { width, height } = chart.getBoundingClientRect();
  const [wide, high] = [width + 2 * PAD, height + HEAD + 2 * PAD];
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("xmlns", SVG);
  picture.setAttribute("width", String(wide));
  picture.setAttribute("height", String(high));
  const family = getComputedStyle(document.body).fontFamily;
  const rtl = document.documentElement.dir === "rtl";
  const at = rtl ? wide - PAD : PAD;
  picture.append(
    shape("rect", { width: wide, height: high, fill: color("--surface") }),
    text(title, { x: at, y: PAD + 16, fill: color("--ink"), "font-size": 16, "font-weight": 650, "font-family": family, direction: rtl ? "rtl" : "ltr" }),
    text(note, { x: at, y: PAD + 36, fill: color("--ink-2"), "font-size": 12, "font-family": family, direction: rtl ? "rtl" : "ltr" }),
  );
  const copy = inlined(chart);
  copy.setAttribute("x", String(PAD));
  copy.setAttribute("y", String(PAD + HEAD));
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  picture.append(copy);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(picture))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = wide * SCALE;
  canvas.height = high * SCALE;
  const context = canvas.getContext("2d");
  context?.scale(SCALE, SCALE);
  context?.drawImage(image, 0, 0, wide, high);
  const blob = await new Promise<Blob | null>((made) => canvas.toBlob(made, "image/png"));
  if (blob) download(`${name}.png`, blob);
}

/** A copy that carries the styles that the page's sheet gave the original. */
function inlined(chart: SVGSVGElement): SVGSVGElement {
  const copy = chart.cloneNode(true) as SVGSVGElement;
  const [from, to] = [[chart, ...chart.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]];
  from.forEach((element, index) => {
    const style = getComputedStyle(element);
    for (const name of STYLES) to[index]?.setAttribute(name, style.getPropertyValue(name));
    to[index]?.removeAttribute("class");
  });
  return copy;
}

function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function text(content: string, attributes: Record<string, string | number>): SVGElement {
  const element = shape("text", attributes);
  element.textContent = content;
  return element;
}
