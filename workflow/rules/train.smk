# Small files are compared by content, large ones only by date, and a date must not retrain anything:
# so the stamp, which holds the checksum, stands for the data set, run.json stands for a model that
# is built on, and the array file and the model themselves are ancient().
rule train_end_to_end:
    input:
        stamp=pipeline.dataset_stamp,
        data=ancient(pipeline.dataset),
    output:
        **pipeline.models("end_to_end"),
    log:
        f"{pipeline.logs}/{pipeline.cell_files('end_to_end', 'train.log')}",
    benchmark:
        f"{pipeline.logs}/{pipeline.cell_files('end_to_end', 'train.tsv')}"
    conda:
        "../../envs/torch.yaml"
    threads: pipeline.threads("train")
    resources:
        **pipeline.resources("train", gpu=True),
    params:
        settings=pipeline.trained("end_to_end"),
        command=pipeline.training_command("end_to_end"),
        out=subpath(output.model, parent=True),
    shell:
        "python -m ecot train {params.command} --config $ECOT_CONFIG --dataset {input.data} --out {params.out}"
        " > {log} 2>&1"


use rule train_end_to_end as train_restoration with:
    output:
        **pipeline.models("restoration"),
    log:
        f"{pipeline.logs}/{pipeline.cell_files('restoration', 'train.log')}",
    benchmark:
        f"{pipeline.logs}/{pipeline.cell_files('restoration', 'train.tsv')}"
    params:
        settings=pipeline.trained("restoration"),
        command=pipeline.training_command("restoration"),
        out=subpath(output.model, parent=True),


use rule train_end_to_end as train_joint with:
    input:
        stamp=pipeline.dataset_stamp,
        data=ancient(pipeline.dataset),
        run=pipeline.frozen("joint")["run"],
        model=ancient(pipeline.frozen("joint")["model"]),
    output:
        **pipeline.models("joint"),
    log:
        f"{pipeline.logs}/{pipeline.cell_files('joint', 'train.log')}",
    benchmark:
        f"{pipeline.logs}/{pipeline.cell_files('joint', 'train.tsv')}"
    params:
        settings=pipeline.trained("joint"),
        command=pipeline.training_command("joint"),
        out=subpath(output.model, parent=True),


use rule train_end_to_end as train_separate with:
    input:
        stamp=pipeline.dataset_stamp,
        data=ancient(pipeline.dataset),
        run=pipeline.frozen("separate")["run"],
        model=ancient(pipeline.frozen("separate")["model"]),
    output:
        **pipeline.models("separate"),
    log:
        f"{pipeline.logs}/{pipeline.cell_files('separate', 'train.log')}",
    benchmark:
        f"{pipeline.logs}/{pipeline.cell_files('separate', 'train.tsv')}"
    params:
        settings=pipeline.trained("separate"),
        command=pipeline.training_command("separate"),
        out=subpath(output.model, parent=True),


use rule train_end_to_end as train_baseline with:
    input:
        stamp=pipeline.dataset_stamp,
        data=ancient(pipeline.dataset),
        run=pipeline.frozen("baseline")["run"],
        model=ancient(pipeline.frozen("baseline")["model"]),
    output:
        **pipeline.models("baseline"),
    log:
        f"{pipeline.logs}/{pipeline.cell_files('baseline', 'train.log')}",
    benchmark:
        f"{pipeline.logs}/{pipeline.cell_files('baseline', 'train.tsv')}"
    params:
        settings=pipeline.trained("baseline"),
        command=pipeline.training_command("baseline"),
        out=subpath(output.model, parent=True),
