rule figure:
    input:
        metrics=pipeline.figure_metrics,
        bounds=pipeline.figure_bounds,
    output:
        svg=report(
            f"{pipeline.results}/figures/figure_{{number}}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{number}", "run": pipeline.config.run},
        ),
        png=f"{pipeline.results}/figures/figure_{{number}}.png",
    log:
        f"{pipeline.logs}/figures/figure_{{number}}.log",
    benchmark:
        f"{pipeline.logs}/figures/figure_{{number}}.tsv"
    wildcard_constraints:
        number="|".join(f"{number:02d}" for number in pipeline.figures) or "none",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=pipeline.everything(),
        code=code_hash("ecot.reporting.figures"),
    shell:
        "python -m ecot figure {wildcards.number} --config $ECOT_CONFIG > {log} 2>&1"


rule figures:
    input:
        [
            f"{pipeline.results}/figures/figure_{number:02d}.svg"
            for number in pipeline.figures
        ],
