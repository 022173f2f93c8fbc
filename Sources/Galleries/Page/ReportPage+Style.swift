extension ReportPage {
  /// Light and dark by the reader's preference, the system's fonts. Neither quotes nor angle brackets,
  /// which HTML and XML would read differently here.
  static let style = """
    :root { color-scheme: light dark; --page: #ffffff; --ink: #1c1f26; --muted: #5b6270;
      --rule: #d9dce3; --card: #f5f6f8; --first: #2b6cb0; --second: #c05a12; --good: #2f7d4f;
      --doubtful: #9a6a00; --bad: #b3261e; }
    @media (prefers-color-scheme: dark) { :root { --page: #15171c; --ink: #e8eaef;
      --muted: #9aa1b0; --rule: #343944; --card: #1e2128; --first: #6cb0f5; --second: #f29a5a;
      --good: #6bc48d; --doubtful: #e0b04a; --bad: #f2877d; } }
    body { margin: 0; background: var(--page); color: var(--ink);
      font: 15px/1.5 system-ui, sans-serif; }
    main { max-width: 760px; margin: 0 auto; padding: 24px 20px 48px; }
    h1 { font-size: 24px; margin: 0 0 4px; overflow-wrap: anywhere; }
    h2 { font-size: 17px; margin: 0 0 8px; }
    p { margin: 4px 0; overflow-wrap: anywhere; }
    section { margin-top: 28px; }
    .muted { color: var(--muted); font-size: 13px; }
    .findings { display: grid; gap: 10px; margin-top: 16px; }
    .finding { background: var(--card); border-left: 5px solid var(--rule); padding: 10px 14px; }
    .finding h2 { margin: 0; }
    .good { border-left-color: var(--good); }
    .doubtful { border-left-color: var(--doubtful); }
    .bad { border-left-color: var(--bad); }
    .good h2 { color: var(--good); }
    .doubtful h2 { color: var(--doubtful); }
    .bad h2 { color: var(--bad); }
    .figures, .plots { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start; }
    figure { margin: 0; }
    figcaption { font-size: 13px; color: var(--muted); }
    figcaption b { color: var(--ink); font-weight: 600; }
    img { display: block; image-rendering: pixelated; max-width: 100%; }
    .scale { display: flex; justify-content: space-between; font-size: 12px;
      color: var(--muted); }
    img + img { margin-top: 4px; }
    .slider { position: relative; max-width: none; overflow: hidden; }
    .slider img { max-width: none; }
    .over { position: absolute; top: 0; left: 0; height: 100%; min-width: 16px; max-width: 100%;
      overflow: hidden; resize: horizontal; border-right: 2px solid var(--second); }
    svg { max-width: 100%; height: auto; }
    svg text { font-size: 12px; fill: var(--muted); font-variant-numeric: tabular-nums; }
    .grid { stroke: var(--rule); stroke-width: 1; }
    .axis { stroke: var(--muted); stroke-width: 1; }
    .limit { stroke: var(--bad); stroke-width: 1; stroke-dasharray: 4 3; }
    .first { fill: var(--first); }
    .second { fill: var(--second); }
    .area { fill-opacity: 0.35; stroke-width: 1.2; }
    .area.first { stroke: var(--first); }
    .area.second { stroke: var(--second); }
    .trace { fill: none; stroke-width: 1; stroke-opacity: 0.6; }
    .tables { display: grid; gap: 28px; }
    table { border-collapse: collapse; width: 100%; font-size: 13px; }
    th, td { text-align: left; padding: 3px 10px 3px 0; vertical-align: top;
      border-bottom: 1px solid var(--rule); overflow-wrap: anywhere; }
    th { font-weight: 400; color: var(--muted); width: 34%; }
    td { font-variant-numeric: tabular-nums; }
    @media print { main { max-width: none; } section, figure { break-inside: avoid; } }
    """
}
