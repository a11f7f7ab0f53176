# The run beside the paper: which of its claims hold, and how near its numbers are.
rule claims:
    input:
        metrics=pipeline.metrics(pipeline.rated),
        bounds=pipeline.bounds,
    output:
        csv=report(
            f"{pipeline.results}/claims.csv",
            caption="../report/claims.rst",
            category="Paper",
            labels={"table": "claims", "run": pipeline.config.run},
        ),
        md=f"{pipeline.results}/claims.md",
    log:
        f"{pipeline.logs}/claims.log",
    benchmark:
        f"{pipeline.logs}/claims.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=pipeline.everything(),
        code=code_hash("ecot.reporting.claims"),
    shell:
        "python -m ecot claims --config $ECOT_CONFIG > {log} 2>&1"


rule comparison:
    input:
        metrics=pipeline.metrics(pipeline.rated),
        bounds=pipeline.bounds,
    output:
        csv=report(
            f"{pipeline.results}/paper_comparison.csv",
            caption="../report/comparison.rst",
            category="Paper",
            labels={"table": "every number", "run": pipeline.config.run},
        ),
        summary=report(
            f"{pipeline.results}/paper_summary.csv",
            caption="../report/comparison.rst",
            category="Paper",
            labels={"table": "summary", "run": pipeline.config.run},
        ),
        svg=report(
            f"{pipeline.results}/figures/paper_comparison.svg",
            caption="../report/comparison.rst",
            category="Paper",
            labels={"figure": "published, reproduced", "run": pipeline.config.run},
        ),
        md=f"{pipeline.results}/paper_comparison.md",
        summary_md=f"{pipeline.results}/paper_summary.md",
        png=f"{pipeline.results}/figures/paper_comparison.png",
    log:
        f"{pipeline.logs}/paper_comparison.log",
    benchmark:
        f"{pipeline.logs}/paper_comparison.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=pipeline.everything(),
        code=code_hash("ecot.reporting.comparison"),
    shell:
        "python -m ecot comparison --config $ECOT_CONFIG > {log} 2>&1"
