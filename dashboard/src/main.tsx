import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/parts.css";
import "./styles/charts.css";
import { App } from "./app";
import { applyDirection } from "./lib/locale";
import { takeFragment } from "./lib/session";
import { applyTheme } from "./lib/theme";

applyTheme();
applyDirection();
takeFragment();
addEventListener("hashchange", takeFragment);

const root = document.getElementById("root");
if (root) createRoot(root).render(<StrictMode><App /></StrictMode>);
