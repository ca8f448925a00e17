// JSON as Grafana's types describe it: where they name an enum, JSON holds its value.
import type { DataQuery, Dashboard, Panel, RowPanel } from "@grafana/schema";
import type { Options as Stat } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type { Options as TimeSeries } from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

type Json<T> = unknown extends T
  ? unknown
  : T extends string
    ? `${T}`
    : T extends (infer One)[]
      ? Json<One>[]
      : T extends object
        ? { [Key in keyof T]: Json<T[Key]> }
        : T;

// The types leave to each kind of panel what it is set to, and to each source of data what it is asked.
type Query = Json<DataQuery> & { expr: string; legendFormat: string };
type Shown<Kind extends string, Options> = Omit<Json<Panel>, "type" | "options" | "targets"> & {
  type: Kind;
  options: Json<Options>;
  targets: Query[];
};
type Row = Omit<Json<RowPanel>, "type"> & { type: "row" };

export type Slipway = Omit<Json<Dashboard>, "panels"> & {
  panels: (Shown<"timeseries", TimeSeries> | Shown<"stat", Stat> | Row)[];
};
