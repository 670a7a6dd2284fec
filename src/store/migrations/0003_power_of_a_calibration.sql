-- What was calibrated before p was learnt had the root law, p = 1.
ALTER TABLE calibration ADD COLUMN power_milli INTEGER NOT NULL DEFAULT 1000; -- p, the power of v that people grow with, thousandths
