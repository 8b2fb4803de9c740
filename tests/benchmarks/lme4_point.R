# The point estimate of models/hierarchical.py on rows, for bench_lme4.py: one row a response and
# indicator. The response's own effect stands for what the answers of one person on one day share.
suppressPackageStartupMessages(library(lme4))
arguments <- commandArgs(trailingOnly = TRUE)
rows <- read.csv(arguments[1], colClasses = c(standardised = "numeric"), stringsAsFactors = TRUE)
started <- proc.time()
fit <- lmer(
  standardised ~ 1 + (1 | combination) + (1 | combination:respondent) +
    (1 | combination:indicator) + (1 | combination:jobcenter) + (1 | jobcenter) +
    (1 | jobcenter:indicator) + (1 | response),
  data = rows,
  control = lmerControl(calc.derivs = FALSE)  # derivatives at the end would cost more time
)
took <- proc.time() - started
spread <- as.data.frame(VarCorr(fit))
write.csv(data.frame(group = spread$grp, sd = spread$sdcor), arguments[2], row.names = FALSE)
cat(took[["elapsed"]], nrow(rows), as.character(packageVersion("lme4")), "\n")
