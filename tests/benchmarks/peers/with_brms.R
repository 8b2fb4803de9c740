# The study of bench_peers.py by brms: folder with rows.csv, cells.csv, grid.csv; "rows" or "cells".
suppressPackageStartupMessages(library(brms))
arguments <- commandArgs(trailingOnly = TRUE)
read <- function(name) read.csv(file.path(arguments[1], name), stringsAsFactors = TRUE)
grid <- read("grid.csv")
terms <- paste(
  "1 + (1 | combination) + (1 | combination:respondent) + (1 | combination:indicator)",
  "+ (1 | combination:jobcenter) + (1 | jobcenter) + (1 | jobcenter:indicator)"
)
if (arguments[2] == "rows") {
  # begin rows
  formula <- as.formula(paste("standardised ~", terms, "+ (1 | response)"))
  fit <- brm(formula, read("rows.csv"),
    chains = 4, cores = 2, seed = 1, refresh = 0, control = list(adapt_delta = 0.95)
  )
  # end rows
} else {
  # begin cells
  formula <- as.formula(paste("mean | se(se) ~", terms))
  fit <- brm(formula, read("cells.csv"),
    chains = 4, cores = 2, seed = 1, refresh = 0, control = list(adapt_delta = 0.95)
  )
  # end cells
}
grid$se <- 1
draws <- posterior_epred(fit, newdata = grid, re_formula = as.formula(paste("~", terms)))
write.table(t(draws), file.path(arguments[1], "draws.csv"),
  sep = ",", row.names = FALSE, col.names = FALSE
)
