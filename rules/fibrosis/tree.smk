"""From B-mode scans to liver masks and stages of fibrosis.

In:  the sample sheet (`fibrosis: sheet:`) and the scans it names
Out: results/fibrosis/: ingest/, cross_validation/, report/; manifests are written by the main
     process
"""

tree = config


include: "../shared/unusable.smk"
include: "../shared/cross_validation.smk"
include: "simulation.smk"
include: "scans.smk"
include: "prediction.smk"
include: "results.smk"
include: "paper.smk"
