"""English, and the abbreviations that every language borrows."""

from webapp.intents.vocabulary.base import Vocabulary
from webapp.intents.vocabulary.english_speech import COMMON

VOCABULARY = Vocabulary(
    settings={
        "rounds": (
            "round|rounds|communication rounds|communication round|global rounds|global epochs|"
            "fl rounds|federated rounds|training rounds|num rounds|number of rounds|t =|t :|"
            "iterations of federated learning|fl round|comm rounds|server rounds|training round|"
            "aggregation rounds|times around|rounds of communication|rounds of training"
        ),
        "clients": (
            "client|clients|participant|participants|parties|party|devices|phones|nodes|workers|"
            "users|institutions|silos|learners|num clients|number of clients|k =|k :|hospitals|"
            "banks|clinics|schools|organisations|organizations|companies|sites|sensors|cars|"
            "tablets|computers|machines|laptops|smartphones|people|stations|branches|labs|"
            "universities|edge devices|edge nodes|data holders|members|peers|cameras|watches|"
            "farms|factories|pharmacies|agents|hospital|bank|device|node|user|phone|worker|"
            "learner|edge clients|cellphones|handsets|routers|vehicles"
        ),
        "cohort": (
            "per round|each round|every round|in each round|in every round|in a round|at a time|"
            "of them|of these|of those|of which|of whom|clients per round|cohort|cohort size|"
            "at once|cohort of|per communication round|a round|clients a round|each time|"
            "every time|a time|per iteration|for each round|during each round|picked per round|"
            "sampled per round|selected per round|at random each round|simultaneously|"
            "in any round|per training round"
        ),
        "sampling.fraction": (
            "client fraction|fraction of clients|fraction of the clients|participation rate|"
            "sampling rate|sample rate|sampling ratio|client ratio|participation ratio|"
            "fraction of|participation|c =|c :|fraction fit|frac|sampling fraction|"
            "sampled fraction|fraction|client sampling rate|client fraction of|selection rate|"
            "selection fraction|percentage of clients"
        ),
        "sampling.count": "clients per round =|sampled clients",
        "local.epochs": (
            "epoch|epochs|local epochs|local epoch|passes|passes over the data|local passes|"
            "num epochs|number of epochs|e =|e :|local training epochs|epochs of local training|"
            "local passes over the data|passes over its data|passes over their data|"
            "passes over local data|epochs locally|times over its data|local training epoch|"
            "sweeps over the data"
        ),
        "local.steps": "local steps|steps|local iterations|local updates|sgd steps|"
        "gradient steps|optimizer steps|optimiser steps|minibatches",
        "local.batch_size": (
            "batch size|batch|batches of|batches|batch sizes|bs|minibatch size|minibatch|"
            "mini batch size|mini batch|minibatches of|b =|b :|batches of size|batchsize|"
            "mini batches of|batch of|batches with|batchsizes|mini batches|batch size of|"
            "examples per batch|samples per batch|per batch"
        ),
        "local.lr": "learning rate|learning rates|lr|step size|step sizes|client learning rate|"
        "clients learning rate|local learning rate|client lr|local lr|eta|lrs|stepsize|"
        "client s learning rate|clients learning rates|learn rate|learning step|lrate|"
        "learningrate|alpha lr|local step size|training rate|rate of learning",
        "local.momentum": "momentum|client momentum|local momentum|heavy ball",
        "local.weight_decay": "weight decay|l 2 penalty|l 2 regularization|l 2 regularisation|wd|"
        "weightdecay",
        "algorithm.server_lr": (
            "server learning rate|server lr|global learning rate|server step size|"
            "the server s is|server s learning rate|server learning rates|"
            "server side learning rate|server rate|server learning step|"
            "learning rate of the server|learning rate on the server|global lr|"
            "learning rate at the server"
        ),
        "seed": "seed|random seed|rng seed",
        "seeds": (
            "attempts|"
            "seeds|random seeds|repetitions|repeats|times with different seeds|replicates|trials|"
            "different seeds|independent runs|runs each|times each|reps|repeats each|"
            "runs per setting|random restarts|replications|random initialisations|"
            "random initializations|runs with different seeds"
        ),
        "repeat": "repeat|repeated|run it|rerun",
        "times": "times",
        "target.accuracy": "accuracy|accurate|test accuracy|acc|percent accuracy|top 1 accuracy",
        "target.loss": "loss|test loss",
        "target.perplexity": "perplexity|ppl",
        "target.mse": "mse|mean squared error",
        "target.mae": "mae|mean absolute error",
        "target.r2": "r 2|r squared",
        "target.micro_f1": "micro f 1|f 1|f 1 score",
        "until": (
            "until|till|reach|reaches|reached|reaching|hits|attains|achieve|achieves|target of|"
            "get to|gets to|goal of|arrives at|gets gets over|exceeds|we have|hit|once we hit|"
            "better than or equal to|crosses over"
        ),
        "evaluation.every": "evaluation interval|evaluate every|test every|eval every",
        "evaluation.patience": "patience|evaluations without improvement|"
        "tests without improvement|evaluations without progress|rounds without improvement|"
        "evaluations without getting better|without improvement",
        "system.dropout": (
            "drop out|drops out|dropout|dropout rate|client dropout|fail|fails|disappear|"
            "go offline|goes offline|dropping out|crash|crashes|lost|unavailable|drop off|"
            "drops off|go missing|goes missing|vanish|vanishes|disconnect|disconnects|"
            "are offline|is offline|quit|quits|unreachable|fall out|flaky|never answer|"
            "fail to answer|fail to reply|drop outs|dropouts|dropped|failing"
        ),
        "system.stragglers": (
            "stragglers|straggler|straggling|straggler rate|are late|lag behind|lags behind|"
            "laggards|lagging|late|too late|slow stragglers|slowpokes|straggle"
        ),
        "system.straggler_factor": "straggler factor|straggler slowdown",
        "field:slowdown": "times slower|x slower|fold slower|times as slow|slowdown",
        "field:slow_fraction": (
            "are slow|is slow|slow clients|slow ones|slower|slow devices|are slower|run slowly|"
            "run slower|of them slow|are the slow ones"
        ),
        "system.bandwidth_mbps": (
            "bandwidth|links|link speed|connection speed|network speed|network|connections|"
            "connection|internet|uplinks|link|line speed|lines"
        ),
        "system.latency_s": "latency|network latency|delay|ping|round trip|round trip time|rtt",
        "runtime.deadline_s": "deadline|round deadline|time limit|timeout|time out|"
        "time limit per round",
        "runtime.min_updates": "min updates|minimum updates|at least updates|minimum number of "
        "updates",
        "dataset.max_train": "training examples|training samples|train examples|examples|"
        "train samples|samples|training images|images|data points|training points",
        "dataset.max_test": "test examples|test samples|test images",
        "share_of_data": (
            "of the data|of the training data|of the dataset|of its data|of the training set|"
            "of the training examples|of the examples|of the samples|of the training samples|"
            "of the images|of the training images|of all data|of the original data|"
            "of the train set"
        ),
        "field:classes_per_client": (
            "classes per client|classes each|classes per participant|classes|class|"
            "labels per client|labels each|shards per client|class per client|shards each|"
            "digits each|different labels|digits|digit|classes only|kinds of labels|labels|label|"
            "distinct classes|distinct labels|different classes|categories|category"
        ),
        "field:bits": "bit|bits|bit width|bits per entry|bits per weight|bitwidth",
        "field:ratio": (
            "of the entries|of the weights|of the gradients|of the values|of the coordinates|"
            "sparsity ratio|keep ratio|of the parameters|of the update|of entries|of each update|"
            "compression ratio|of all entries|of gradient entries|of the gradient|"
            "of the gradient entries|of coordinates|of weights|of parameters|of values|"
            "of gradients|of all coordinates|of the elements|of elements|of the largest entries|"
            "of the biggest values|density|kept|entries kept|of them all|components|"
            "of the components"
        ),
        "field:mu": (
            "mu|proximal term|proximal weight|proximal coefficient|prox term|proximal|prox mu|"
            "proximal penalty|proximal parameter|proximal strength|penalty mu"
        ),
        "field:alpha": "alpha|concentration|concentration parameter",
        "field:beta": "beta",
        "field:temperature": "temperature|tau =",
        "field:hidden": "hidden layers|hidden layer|hidden units|hidden sizes|layers of|hidden|"
        "hidden layers of|hidden layers with|layer sizes|hidden neurons|hidden layer sizes|"
        "hidden layers of size|hidden layer of|hidden nodes|units|neurons|hidden widths|"
        "hidden layers of width|units each|neurons each|hidden layer with|nodes per layer",
        "field:depth": "depth|layers deep|layers|blocks|deep",
        "field:heads": "attention heads|heads",
        "field:patch_size": "patch size|patches of",
        "field:max_norm": "max norm|norm|to norm|clipping norm|clip norm|norm of|to a norm of|"
        "maximum norm|to length",
        "field:num_classes": "classes in total",
        "field:rank": "rank|lora rank|of rank",
        "field:levels": "levels|quantisation levels|quantization levels",
        "field:byzantine_count": (
            "bad clients|bad updates|byzantine clients|tolerating|assumed byzantine|"
            "byzantine updates|bad clients tolerated"
        ),
        "field:byzantine_fraction": "byzantine fraction|trim fraction|trim ratio|trimmed fraction|"
        "from each side|on each side|of outliers|from both ends|at each end",
        "attackers": "attacker|attackers|malicious|adversaries|adversary|bad actors|compromised|"
        "malicious clients|hostile|evil|poisoned clients|are byzantine|are malicious|"
        "of the clients are attackers|cheaters|cheating|byzantine|of the clients lie|liars|"
        "rogue|rogue clients|saboteurs|poisoners|traitors|malicious ones|attacking|"
        "adversarial|adversarial clients|corrupted|corrupted clients|bad clients|hacked|"
        "faulty",
        "field:scale": "times longer|times larger|scaled by|attack scale",
        "field:std": "standard deviation|std|noise scale|noise level",
        "field:sigma": "sigma",
        "field:samples_per_s": "samples per second|examples per second",
        "privacy.dp.epsilon": "eps|privacy budget|privacy loss|ε",
        "privacy.dp.clip_norm": "clip norm|clipping norm|clip updates at|clipping threshold",
        "privacy": "privacy|private training|data protection",
        "traffic": "traffic|bytes|communication budget|upload budget|of traffic|in total|"
        "communication|transferred|data volume",
    },
    values={
        "runtime.device=cuda": "gpu|cuda|the gpu|graphics card|nvidia|gpus",
        "runtime.device=cpu": "cpu|the cpu|processor",
        "runtime.executor=pool": "process pool|several processes|in parallel processes",
        "runtime.executor=sequential": "one client after another|sequentially",
        "runtime.executor=stacked": "stacked cohort",
        "runtime.precision=bfloat16": "train in bfloat 16|training in bfloat 16|bf 16 training|"
        "mixed precision",
        "local.optimizer=sgd": "sgd|stochastic gradient descent|plain sgd|vanilla sgd",
        "local.optimizer=adam": (
            "adam|adam optimizer|adam optimiser|local adam|client adam|adams|the adam optimizer"
        ),
        "local.optimizer=adamw": "adamw|adam w|adamw optimizer|adamw optimiser",
        "evaluation.per_client=true": (
            "on each client s own data|per client evaluation|on every client|"
            "personalised accuracy|accuracy of each client|test each client|per client accuracy|"
            "per client accuracies|on each client s data|evaluate each client|"
            "evaluated per client|evaluate per client|each client separately|"
            "for each client separately|individually|per client test accuracy|per client results|"
            "evaluated on each client|test per client|tested per client|evaluation per client|"
            "each client individually|client level accuracy|every client s own accuracy|"
            "measured per client|report each client|report per client|"
            "evaluate clients individually|per client metrics"
        ),
        "partition.mode=power_law": "power law|power law sizes|zipf",
        "partition.transform=rotation": "rotate|rotated|rotation|rotations|rotate the images|"
        "rotated images",
        "partition.transform=contrast": "contrast shift|different contrast|contrast",
        "model.norm=batch": "batch norm|batchnorm|batch normalisation|batch normalization|bn",
        "model.norm=group": "group norm|groupnorm|group normalisation|group normalization|gn",
        "aggregation.weighting=uniform": "uniform weights|equal weights|unweighted|"
        "unweighted mean|weight clients equally|all clients weigh the same|uniform weighting",
        "dtype=bfloat16": "bf 16|bfloat 16",
        "error_feedback=true": "error feedback|with memory|residual memory|error compensation",
        "rounding=stochastic": "stochastic rounding|round stochastically|random rounding",
        "scope=model": "across the whole model|over the whole model|global top k",
        "compress": "compression|compress|compressed|compressing|save bandwidth|save traffic|"
        "keep traffic low|keep the traffic low|low traffic|reduce traffic|"
        "reduce communication|communication efficient|less communication|fewer bytes|"
        "keep communication low|less traffic|as little traffic as possible|"
        "shrink the updates|smaller updates|minimise traffic|minimize traffic|"
        "minimise communication|minimize communication|cut the traffic|communication cheap|"
        "smaller messages|low bandwidth usage|few bytes|compress the updates|lower traffic|"
        "save bytes|cheap communication|low communication|communication low|little traffic|"
        "communication efficiently|keep the uploads small|small uploads|save on bandwidth|"
        "save on traffic|keep communication cheap|keep bandwidth low|small messages|"
        "keep messages small|cheaper uploads|reduce bandwidth|keep the traffic down|"
        "keep traffic down|cut communication|cut down on traffic|cut traffic|lighter updates|"
        "low bandwidth|save data volume|shrink the uploads|shrink updates",
    },
    operators={
        "not": (
            "swap|swap out|exchange|trade|trade in|"
            "no|not|without|don t|do not|never|avoid|skip|drop the|remove the|turn off|disable|"
            "rather than|instead of|except|get rid of|rid of|leave out|drop|remove|minus the|"
            "replace|doesn t|does not|isn t|is not|stop using|switch off|none of|forget the|"
            "forget about the|please no|take out|take away|strip|strip out|omit|nix|kill the|"
            "cut the|lose the|no more|there should be no|can do without|instead of using|free of|"
            "exclude|excluding|in place of|ditch|scrap|undo|clear|no longer|never mind the"
        ),
        "correct": (
            "sorry|i mean|i meant|actually|or rather|make that|correction|scratch that|wait|"
            "no wait|rather make it|oops|better|to be precise|let s say|pardon|nope|hmm no|"
            "i should say|strike that|make it|on second thought|my mistake|or better|no sorry|"
            "rather|on second thoughts|hold on|my bad|i meant to say|change that to|"
            "let me rephrase|let me correct that|typo|wait no|better yet|or no"
        ),
        "but": "but|instead|rather",
        "versus": (
            "vs|versus|against|compared to|compared with|as opposed to|beat|beats|outperform|"
            "outperforms|better than|opposed to|relative to|or rather than|next to"
        ),
        "and": "and|plus|as well as|&|along with|together with",
        "or": "or|either|respectively",
        "compare": "compare|comparison|sweep|try|grid|each of|which is better|better|for each of|"
        "one run each|each with|both|benchmark|ablation|contrast|compare with|test out|"
        "explore|scan|vary|varying|sweep over|see whether|which of|which one is better|"
        "which works better|head to head|run both|side by side|study|evaluate both|"
        "check both|one with|what about|which performs better|does better|works best|"
        "work best|which is best|tune|contrast with|difference between",
        "up": "upload|uploads|uplink|updates|upstream|client updates|clients send|upward|"
        "sent by clients",
        "down": "download|downloads|downlink|broadcast|downstream|what the server sends|"
        "broadcasts|server sends|downloaded",
        "both": "both directions|both ways|in both directions|up and down|uplink and downlink|"
        "each way|upload and download|uploads and downloads|both up and down|in both ways|"
        "both sides|two way|bidirectionally|bidirectional|uploads as well as downloads",
        "every": "every|each|after every",
        "double": "double|twice|two times as many|twice as many|doubled|twice as much|twice the|"
        "twice the number of|two times the|two times|2 x|twice as large|twice as big|"
        "twice as high|doubling|x 2|twice as long",
        "triple": (
            "triple|three times as many|thrice|tripled|three times the|three times|3 x|triples|"
            "times three|three times as large|tripling"
        ),
        "halve": "halve|half as many|half the number of|halved|half as much|cut in half|in half|"
        "by half|halving|half of what it was|half as large|half as big|by a factor of two|"
        "by two|to half",
        "with_without": "with and without|with or without|without and with|with versus without|"
        "with vs without|on and off|on or off|turned on and off",
        "train": "train|trains|training|experiment|simulate|simulation|federated|federation|fl|"
        "federated learning|job|fit|learn|learning|trained|aggregate|fine tune|finetune",
        "command": (
            "delete|erase|wipe|rm|sudo|shutdown|shut down|reboot|restart|kill|cancel|pause|"
            "resume|stop|terminate|abort|uninstall|drop table|truncate|chmod|curl|wget|destroy|"
            "remove|exec|execute|import os|select|insert into|update users|grant|promote|revoke|"
            "retry|drop|shutdown the|wipe out|drop database|format|disable the|ban|hack|mail|"
            "email|install|download and run|launch a shell|open a shell|overwrite|deactivate"
        ),
        "object": (
            "run|runs|the run|every run|all runs|project|projects|user|users|server|servers|"
            "database|databases|file|files|table|tables|account|accounts|job|jobs|worker process|"
            "everything|passwords|password|rf|machine|process|service|script|shell|command|token|"
            "tokens|artifacts|logs|sql|bash|code|disk|hard disk|hard drive|admin|administrator|"
            "admin account|everybody s|root|history|checkpoints|workers|database table|celery|"
            "container|containers|website|config"
        ),
        "show": (
            "show|print|reveal|give|tell|list|display|leak|send|read|output|dump|share|what is|"
            "list all|give me|tell me|hand over|expose|send me|email me|reveal me|show me|"
            "give me all"
        ),
        "secret": "password|passwords|token|tokens|api key|api keys|secret|secrets|credentials|"
        "system prompt|private key|environment variables|secret key|etc passwd|env|"
        "other users|private keys|api token|token list|ssh key|ssh keys|admin password|"
        "credentials file|environment|env file|user s token|other people s",
        "ignore": "ignore|forget|disregard|override|bypass",
        "instructions": "instructions|previous instructions|rules|prompt|guidelines|restrictions|"
        "safety|above|permissions|limits",
        "search": "find|find me|search for|search|look for|optimise|optimize|hunt for|"
        "figure out|tune the|auto tune|autotune",
    },
    sections={
        "dataset": "dataset|data set|data|datasets|corpus|data sets|images|pictures|photos",
        "partition": "split|partition|partitioning|distribution|distributed|skew|division|"
        "partitioned|shared out|divided",
        "model": "model|network|net|architecture|classifier|models|backbone|hyperparameters|"
        "hyper parameters",
        "algorithm": "algorithm|method|strategy|optimization method|fl algorithm|algorithms",
        "sampling": (
            "sampling|selection|client selection|sampler|participate|selected|client sampling|"
            "take part|takes part|participates|join|picked|pick|sample|selecting|select|choose|"
            "chosen|draw|drawn|participating|joins|taking part|join in"
        ),
        "aggregation": "aggregation|aggregator|aggregate|rule|defence|defense|defend|"
        "robust aggregation|aggregation rule|aggregated|combine|combined",
        "compression": "codec|quantiser|quantizer|sparsifier|gradients|messages|entries",
        "attack": (
            "attack|attacks|adversarial attack|attacker|poison|poisoning|attackers|adversary|"
            "malicious"
        ),
        "local.optimizer": "optimizer|optimiser|local optimizer|client optimizer",
        "topology": "topology|graph|topologies",
        "system.speed": "speed|speeds|hardware",
        "peft": (
            "fine tuning|peft|parameter efficient|fine tune|finetune|finetuning|adapt|tune|tuned|"
            "adapter|train only|only train|trainable|unfreeze|update only|freeze everything but"
        ),
    },
    units={
        "percent": "%|percent|per cent|pct|percentage points|percents|per cents",
        "bytes:1e3": "kb|kilobytes|kilobyte|kib",
        "bytes:1e6": "mb|megabytes|megabyte|mib",
        "bytes:1e9": "gb|gigabytes|gigabyte|gib",
        "seconds:1": "s|sec|secs|second|seconds",
        "seconds:0.001": "ms|milliseconds|millisecond",
        "seconds:60": "minute|minutes|mins",
        "seconds:3600": "hour|hours",
        "mbps:1": "mbit/s|mbps|mbit|megabits per second|megabit|mbits|megabit per second",
        "mbps:1000": "gbit/s|gbps|gbit|gigabit",
        "mbps:0.001": "kbit/s|kbps|kbit",
    },
    unknown={
        "dataset": "imagenet|image net|celeba|femnist|emnist|svhn|cifar 100|imdb|ag news|coco|"
        "openimages|reddit|stackoverflow|stack overflow|sent 140|sentiment 140|tiny imagenet|"
        "kmnist|usps|stl 10|cinic 10|iris|titanic|squad|wikitext|glue|pascal voc|cityscapes|"
        "movielens|mimic|chestx|librispeech",
        "local.optimizer": "rmsprop|adagrad|adadelta|lion|lbfgs|l bfgs|nadam|lamb|sophia|adamax|"
        "radam|muon|newton s method",
        "model": "alexnet|vgg|vgg 16|vgg 11|mobilenet|efficientnet|densenet|inception|xgboost|"
        "random forest|svm|decision tree|unet|u net|yolo|diffusion model|gan|lenet|squeezenet|"
        "autoencoder|gradient boosting|k means",
        "attack": "backdoor|backdoor attack|gradient inversion|free riders|free rider|"
        "model replacement|model poisoning|sybil",
    },
    common=COMMON,
)
