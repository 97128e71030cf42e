"""French."""

from webapp.intents.vocabulary.base import Vocabulary

VOCABULARY = Vocabulary(
    settings={
        "rounds": "tour|tours|ronde|rondes|tours de communication|rondes de communication|"
        "nombre de tours|cycles|manches|itérations globales|rounds|round|"
        "tours d'entraînement|tours d'apprentissage|tour de communication|tours globaux|"
        "cycles de communication",
        "clients": "client|clients|participant|participants|appareils|téléphones|nœuds|"
        "nombre de clients|machines|hôpitaux|sites|partenaires|établissements|dispositifs|"
        "dispositif|appareil|hôpital|banques|cliniques|écoles|entreprises|utilisateurs|"
        "capteurs|nœud|organisations|institutions|ordinateurs|postes|agences|laboratoires|"
        "membres|terminaux|smartphones|voitures|pharmacies|clientes|intervenants|parties",
        "cohort": "par tour|à chaque tour|chaque tour|dont|parmi eux|à la fois|par ronde|"
        "à chaque ronde|d'entre eux|simultanément|d'entre elles|à chaque fois|en même temps|"
        "tirés à chaque tour|choisis à chaque tour|sélectionnés à chaque tour|tirés par tour|"
        "tirés au sort|par round|chaque fois|en parallèle|au hasard",
        "sampling.fraction": "fraction de clients|fraction des clients|taux de participation|"
        "taux d'échantillonnage|proportion de clients|taux de participation de|fraction|"
        "proportion|taux de sélection|part des clients|pourcentage de clients",
        "local.epochs": (
            "époque|époques|époques locales|époque locale|passes|passes locales|passages locaux|"
            "époques d'entraînement|epochs|epoch|passages sur les données|passages|"
            "passes sur les données|époques en local|époques par client|passe"
        ),
        "local.steps": "étapes locales|étapes|pas locaux|itérations locales|pas de gradient",
        "local.batch_size": (
            "taille de lot|lot|lots|taille de lots|taille des lots|lots de|taille du lot|"
            "taille de batch|mini lots de|mini lots|tailles de lot|paquets de|batchs de|"
            "taille du batch|batch|batch size|batches de|mini batch|mini batchs de|"
            "lots de taille|paquets|taille de minibatch|taille du mini lot|minibatch|batchs|"
            "batch de"
        ),
        "local.lr": (
            "taux d'apprentissage|pas d'apprentissage|taux local|taux d'apprentissage local|"
            "taux d'apprentissage des clients|vitesse d'apprentissage|learning rate|taux|pas|"
            "pas d'apprentissage de|lr|taux d apprentissages|taux d'apprentissage local de|pas de"
        ),
        "local.momentum": "momentum|moment|inertie",
        "local.weight_decay": "dégradation des poids|décroissance des poids|pénalité L2|"
        "régularisation L2|déclin des poids",
        "algorithm.server_lr": "taux d'apprentissage du serveur|taux du serveur|"
        "taux d'apprentissage global|taux d'apprentissage serveur|"
        "taux d'apprentissage côté serveur",
        "seed": "graine|graine aléatoire",
        "seeds": "graines|répétitions|graines aléatoires|graines différentes|"
        "graines aléatoires différentes|seeds|répétition|essais|reprises|"
        "répétitions indépendantes|graines chacun|graines chacune|graines par",
        "repeat": "répète|répéter|répétez|recommence",
        "times": "fois",
        "target.accuracy": (
            "précision|exactitude|précision de test|justesse|accuracy|taux de bonnes réponses|"
            "taux de réussite|de précision|d'exactitude"
        ),
        "target.loss": "perte|fonction de perte|perte de test",
        "target.perplexity": "perplexité",
        "until": "jusqu'à|atteindre|atteint|atteigne|objectif|atteignions|obtenir|atteigne les|"
        "dépasse|au moins|à partir de|jusque|arrive à|dépasser|parvient à|atteints|franchit|"
        "seuil|aura atteint|touche",
        "evaluation.every": "intervalle d'évaluation",
        "evaluation.patience": "patience|évaluations sans amélioration|tests sans amélioration|"
        "évaluations sans progrès|sans amélioration|tests sans progrès",
        "system.dropout": (
            "tombent en panne|tombe en panne|abandon|abandonnent|abandonne|taux d'abandon|pannes|"
            "panne|disparaissent|déconnexion|se déconnectent|décrochent|décroche|se déconnecte|"
            "lâchent|lâche|quittent|disparaît|s'arrêtent|ne répondent pas|injoignables|perdus|"
            "tombent|partent|défaillants|hors ligne|défaillances|défaillance|désistements|"
            "décrochage"
        ),
        "system.stragglers": (
            "retardataires|traînards|clients lents|clients en retard|en retard|à la traîne|"
            "arrivent en retard|retardataire|traînent|sont en retard"
        ),
        "field:slowdown": "fois plus lent|fois plus lents|fois plus lente|fois plus lentes",
        "field:slow_fraction": "plus lents|plus lent|sont lents|lents",
        "system.bandwidth_mbps": "débit|bande passante|connexion|liaisons|liens|réseau",
        "system.latency_s": "latence|délai de transmission",
        "runtime.deadline_s": "échéance|délai|limite de temps|date limite|temps limite|"
        "délai maximal",
        "dataset.max_train": "exemples d'entraînement|exemples|images d'entraînement|images|"
        "échantillons|échantillons d'entraînement",
        "dataset.max_test": "exemples de test|images de test",
        "share_of_data": (
            "des données|du jeu de données|des données d'entraînement|des exemples|des images|"
            "de l'ensemble d'entraînement|des échantillons"
        ),
        "field:classes_per_client": (
            "classes|classes par client|chiffres|étiquettes par client|classe|étiquettes|"
            "étiquette|chiffre|catégories|labels|classes différentes|classes distinctes|"
            "seule classe|label|catégorie"
        ),
        "field:bits": "bit|bits",
        "field:ratio": (
            "des entrées|des poids|des valeurs|des coefficients|des gradients|des paramètres|"
            "des coordonnées|des composantes|des éléments|des plus grandes valeurs|densité|"
            "des entrées du gradient|de coordonnées|des poids les plus grands|du gradient"
        ),
        "field:alpha": "alpha|concentration|paramètre de concentration",
        "field:mu": "mu|terme proximal|coefficient proximal|paramètre proximal|poids proximal|"
        "pénalité proximale",
        "field:hidden": (
            "couches cachées|couche cachée|couches cachées de|couches de|neurones|unités|"
            "neurones cachés|unités cachées|couche de|neurones chacune|unités chacune|"
            "couche cachée de|couches cachées à"
        ),
        "field:depth": "profondeur|couches|blocs",
        "field:patch_size": "taille de patch|taille des patchs",
        "field:max_norm": "norme|norme maximale|à la norme|une norme",
        "field:temperature": "température",
        "field:byzantine_count": "mauvais clients",
        "attackers": (
            "attaquants|attaquant|malveillants|malveillant|byzantins|byzantin|hostiles|malicieux|"
            "adversaires|saboteurs|attaquent|attaque|pirates|malveillantes|tricheurs|adversaire|"
            "compromis|corrompus|mentent|traîtres|clients malveillants"
        ),
        "privacy.dp.epsilon": "budget de confidentialité|perte de confidentialité",
        "privacy.dp.noise_multiplier": "multiplicateur de bruit",
        "privacy": "confidentialité|vie privée",
        "traffic": "trafic|octets|volume de données|au total|données échangées",
    },
    values={
        "runtime.device=cuda": "carte graphique|GPU|processeur graphique",
        "runtime.device=cpu": "processeur|CPU",
        "local.optimizer=sgd": "descente de gradient stochastique",
        "evaluation.per_client=true": (
            "sur les données de chaque client|par client aussi|évalue chaque client|"
            "tester chaque client|évaluer chaque client|sur chaque client|client par client|"
            "par client|évalué par client|évaluée par client|évaluation par client|"
            "précision par client|précision de chaque client|chaque client séparément|"
            "individuellement"
        ),
        "partition.mode=power_law": "loi de puissance",
        "partition.transform=rotation": "tournées|images tournées|rotation|pivotées|"
        "tourne les images",
        "model.norm=batch": "normalisation par lot|normalisation par lots",
        "aggregation.weighting=uniform": "poids égaux|sans pondération|non pondérée|"
        "poids uniformes",
        "error_feedback=true": "rétroaction d'erreur|compensation d'erreur|retour d'erreur",
        "rounding=stochastic": "arrondi stochastique|arrondi aléatoire",
        "compress": "compression|comprime|compresser|compressé|comprimer|limite le trafic|"
        "limiter le trafic|peu de trafic|réduis le trafic|réduire le trafic|"
        "réduire les communications|trafic faible|économise la bande passante|compresse|"
        "moins de trafic|trafic réduit|trafic minimal|minimise le trafic|"
        "garde un trafic faible|le moins de trafic possible|compressés|"
        "économiser la bande passante|communication réduite|petits messages|compressées|"
        "compressez|trafic bas|envois légers|communication économe|réduis la communication|"
        "moins d'octets|gardez le trafic bas|garde le trafic bas|garder le trafic bas",
    },
    operators={
        "not": "sans|pas de|pas|aucun|aucune|n utilise pas|n'utilise pas|ne|enlève|supprime la|"
        "supprime le|retire|évite|au lieu de|au lieu d'|plutôt que|remplace|jamais|ni|"
        "désactive|n'utilisez pas|à la place de|abandonne le|oublie le|oublie la|enlever|"
        "enlevez|supprime|supprimer|retirer|ôte|coupe|arrête le|arrête la|désactiver|annule|"
        "sans aucune|sans aucun|pas d'|aucune sorte de|n'utiliser|n'emploie pas|"
        "ne pas utiliser|en lieu et place de|laisse tomber|abandonne|oublie|plus de|échange|"
        "troque",
        "correct": "non|plutôt|pardon|je veux dire|en fait|enfin non|ou plutôt|mettons|disons|"
        "finalement|désolé|mieux vaut|correction|oups|euh non|je voulais dire|euh|enfin|"
        "ah non|non pardon|rectification|erreur|attends|attendez|ou mieux|mieux|excuse moi|"
        "excusez moi",
        "but": "mais",
        "versus": "contre|face à|versus|comparé à|par rapport à|et pas|opposé à|vs|face au",
        "and": "et|ainsi que",
        "or": "ou|soit",
        "compare": (
            "compare|comparer|comparez|comparaison|essaie|essayer|chacun|respectivement|teste|"
            "lequel est meilleur|essaye|comparons|tester|testons|essayons|essayez|"
            "mets en concurrence|confronte|lequel|laquelle|qui marche le mieux|meilleur|"
            "meilleure|mieux entre|varie|varier|étudie|explore|balaye|vaut il mieux|marche mieux|"
            "quelle méthode|quel est le meilleur|quelle est la meilleure|différence entre"
        ),
        "up": "envois|envoi|envoie|téléversement|montant|liaison montante|téléversements",
        "down": "téléchargement|descendant|liaison descendante|diffusion|téléchargements",
        "both": "deux sens|dans les deux sens|deux directions|dans les deux directions",
        "every": "tous les|toutes les|après chaque|chaque|tous|toutes|un tour sur",
        "double": "deux fois plus de|deux fois plus|double|doubler|le double de|doublez|doublons|"
        "double le|double la|deux fois plus grand|deux fois plus grande|deux fois plus long|"
        "deux fois plus longtemps|multiplie par deux|multiplier par deux",
        "triple": "trois fois plus de|trois fois plus|triple|tripler|triple le|triple la|"
        "multiplie par trois|tripler le|trois fois plus grand",
        "halve": "divise par deux|deux fois moins de|diviser par deux|deux fois moins|"
        "réduis de moitié|deux fois plus petit|deux fois plus petite|de moitié|par deux|"
        "à la moitié|divise par 2|la moitié du|réduire de moitié|moitié moins|"
        "moitié moins de|diminue de moitié|baisse de moitié",
        "with_without": "avec et sans|avec ou sans|sans et avec",
        "train": "entraîne|entraîner|entraînement|expérience|fédéré|fédérée|simule|apprentissage|"
        "entraînez|apprentissage fédéré|lance un entraînement|agrège|entraînons|"
        "entraînement fédéré|essai|expérimente|simulation|fédération|entrainement|entrainer|"
        "entraine|apprends|agrégation|agréger|agrégé",
        "command": (
            "supprime|supprimer|efface|effacer|annule|arrête|redémarre|détruis|exécute|tue|"
            "éteins|interromps|supprimez|éteindre|éteignez|supprime tous|supprime toutes|effacez|"
            "arrête le serveur|vide|lance la commande|formate|coupe le serveur|supprime les|"
            "pirate|désinstalle|annule tous"
        ),
        "object": (
            "exécution|exécutions|projet|projets|utilisateurs|serveur|base de données|fichiers|"
            "comptes|compte|jobs|toutes les exécutions|utilisateur|fichier|commande|script|"
            "tâches|tout|disque|système|machine|mots de passe|historique|admin|administrateur"
        ),
        "show": "montre|donne|affiche|révèle|dis|donne moi|envoie moi|liste|montre moi|dis moi|"
        "révèle moi|partage|imprime",
        "secret": (
            "mot de passe|mots de passe|jeton|jetons|clé|identifiants|secret|secrets|clé secrète|"
            "clé api|clés|variables d'environnement"
        ),
        "ignore": "ignore|oublie|ignorez|contourne|oubliez",
        "instructions": "instructions|consignes|règles|directives",
        "search": "trouve|trouver|cherche|chercher|recherche|optimise|optimiser|trouve moi",
    },
    sections={
        "dataset": "jeu de données|données|ensemble de données|base|jeux de données",
        "partition": "répartition|partition|distribution|réparties|répartis|partage",
        "model": "modèle|réseau|architecture|modèles",
        "algorithm": "algorithme|méthode|stratégie",
        "sampling": (
            "échantillonnage|sélection|tirage|sélection des clients|participent|participe|"
            "participer|participant|tirés|choisis|choisir|sélectionnés|prennent part|prend part|"
            "tire"
        ),
        "aggregation": "agrégation|agrège|agréger|défense|règle|agrégés",
        "compression": "codec|gradients|messages|entrées",
        "attack": "attaques|attaque|attaquants|empoisonnement",
        "local.optimizer": "optimiseur",
        "topology": "topologie",
        "system.speed": "vitesse|vitesses",
        "peft": "ajustement fin|ajuster|affiner|ajuste|affine|fine tuning|n'entraîne que|"
        "entraîne seulement",
    },
    units={
        "percent": "pour cent|pourcent|%|pourcents",
        "bytes:1e6": "Mo|mégaoctets|mégaoctet",
        "bytes:1e9": "Go|gigaoctets|gigaoctet",
        "bytes:1e3": "Ko|kilooctets",
        "seconds:1": "seconde|secondes",
        "seconds:60": "minute|minutes",
        "seconds:0.001": "millisecondes",
        "mbps:1": "mégabits par seconde|Mbits",
    },
    common="le la les un une des de du d l et ou avec sur pour dans par au aux en est sont que "
    "qui quoi quel quelle je tu il elle nous vous mon ton son notre votre ce cette ces "
    "chaque utilise garde fait temps demain bonjour pendant entre tous toutes quand ne n "
    "se sa ses plus moins tres aussi comme mais si leur leurs y a egal sous passe "
    "participent hasard hasards merci voudrais veux faut avoir etre faire voit moi meme "
    "encore bien autre autres peut tirer tire tiré tirés tirée tirées voir vu vois aller "
    "va vais vont allé fais faites dire dit dis pouvoir peux peuvent pourrait pourrais "
    "pourriez vouloir veut voulez voudrait devoir doit dois doivent devrait savoir sait "
    "sais venir vient viens prendre prend prends pris mettre met mets mis donner donne "
    "trouver trouve tenir tient falloir faudrait laisser laisse laissez passer rester "
    "reste demander demande croire crois aimer aime aimerais aimerait parler penser "
    "pense chercher cherche attendre comprendre comprends besoin envie idée idées chose "
    "choses cas fois jour jours semaine heure heures monde gens personne personnes "
    "question questions réponse point points partie parties nombre valeur valeurs "
    "toujours jamais souvent parfois déjà bientôt maintenant ensuite puis enfin alors "
    "donc ainsi même mêmes très trop assez peu beaucoup environ presque exactement "
    "seulement uniquement juste simplement petit petite petits petites grand grande "
    "grands grandes gros bon bonne bons meilleur nouveau nouvelle rapide rapides lent "
    "lente simple facile difficile fort forte faible faibles premier première dernier "
    "dernière certain certains plusieurs quelque quelques tel telle parmi chez vers "
    "depuis durant avant après contre selon malgré sauf lorsque dont où quels quelles "
    "lequel laquelle salut svp oui possède possèdent ont avons avez voici voilà répartis "
    "répartie réparties répartir lance lancez lancer lancement configure prépare "
    "préparer",
)
