# The study of bench_peers.py by lme4 on its rows: a point estimate without intervals.
suppressPackageStartupMessages(library(lme4))
folder <- commandArgs(trailingOnly = TRUE)[1]
rows <- read.csv(file.path(folder, "rows.csv"), stringsAsFactors = TRUE)
grid <- read.csv(file.path(folder, "grid.csv"), stringsAsFactors = TRUE)
# begin
terms <- paste(
  "1 + (1 | combination) + (1 | combination:respondent) + (1 | combination:indicator)",
  "+ (1 | combination:jobcenter) + (1 | jobcenter) + (1 | jobcenter:indicator)"
)
fit <- lmer(as.formula(paste("standardised ~", terms, "+ (1 | response)")), rows)
# end
estimate <- predict(fit, grid, re.form = as.formula(paste("~", terms)))
write.csv(data.frame(estimate), file.path(folder, "point.csv"), row.names = FALSE)
