# Prints variables of a stored fit as R's ncdf4 reads them, for test_read_elsewhere.py: of each
# its name and the model's, its dimensions with their labels, then the values as they lie in the
# file (R names dimensions in reverse), and an empty line.
library(ncdf4)
arguments <- commandArgs(trailingOnly = TRUE)
file <- nc_open(arguments[1])
line <- function(...) cat(paste(c(...), collapse = "\t"), "\n", sep = "")
for (name in arguments[-1]) {
  variable <- file$var[[name]]
  line(name, ncatt_get(file, 0, "model")$value)
  for (dimension in variable$dim) line(basename(dimension$name), dimension$vals)
  values <- ncvar_get(file, variable, collapse_degen = FALSE)
  line(if (is.character(values)) values else sprintf("%.17g", values))
  line("")
}
