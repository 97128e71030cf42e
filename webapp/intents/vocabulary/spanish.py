"""Spanish."""

from webapp.intents.vocabulary.base import Vocabulary

VOCABULARY = Vocabulary(
    settings={
        "rounds": "ronda|rondas|rondas de comunicación|número de rondas|vueltas|ciclos",
        "clients": "cliente|clientes|participante|participantes|dispositivos|teléfonos|nodos|"
        "número de clientes|hospitales|móviles|socios|instituciones",
        "cohort": "por ronda|en cada ronda|cada ronda|de ellos|a la vez|de los cuales|"
        "al mismo tiempo|de estos|simultáneamente|de ellas",
        "sampling.fraction": "fracción de clientes|fracción de los clientes|"
        "tasa de participación|proporción de clientes|tasa de muestreo",
        "local.epochs": "época|épocas|épocas locales|época local|pasadas|pasadas locales",
        "local.steps": "pasos locales|pasos|iteraciones locales|pasos de gradiente",
        "local.batch_size": "tamaño de lote|lote|lotes|tamaño del lote|lotes de|tamaño de batch|"
        "tamaños de lote|minilotes de|mini lotes de|tamaño de los lotes",
        "local.lr": "tasa de aprendizaje|tasas de aprendizaje|ritmo de aprendizaje|"
        "paso de aprendizaje|tasa local|velocidad de aprendizaje",
        "local.momentum": "momento|momentum|impulso|inercia",
        "local.weight_decay": "decaimiento de pesos|decaimiento de los pesos|penalización L2|"
        "regularización L2",
        "algorithm.server_lr": "tasa de aprendizaje del servidor|tasa del servidor|"
        "tasa de aprendizaje global|tasa de aprendizaje en el servidor",
        "seed": "semilla|semilla aleatoria",
        "seeds": "semillas|repeticiones|semillas distintas|semillas diferentes|semillas aleatorias",
        "repeat": "repite|repetir|repítelo",
        "times": "veces",
        "target.accuracy": "precisión|exactitud|acierto|aciertos|precisión de prueba",
        "target.loss": "pérdida|función de pérdida",
        "target.perplexity": "perplejidad",
        "until": "hasta|alcanzar|alcance|llegue|objetivo|llegar|hasta alcanzar|logre|lograr",
        "evaluation.every": "intervalo de evaluación",
        "evaluation.patience": "paciencia|evaluaciones sin mejora|pruebas sin mejora|sin mejora|"
        "evaluaciones sin mejorar|pruebas sin mejorar|sin mejorar",
        "system.dropout": "se cae|se caen|abandono|abandonan|abandona|tasa de abandono|caídas|"
        "fallan|falla|desaparecen|se desconecta|se desconectan",
        "system.stragglers": "rezagados|clientes lentos|se retrasan|se retrasa",
        "field:slowdown": "veces más lento|veces más lentos|veces más lenta|veces más lentas",
        "field:slow_fraction": "más lentos|más lento|son lentos|lentos",
        "system.bandwidth_mbps": "ancho de banda|conexión|enlaces|red de|conexiones",
        "system.latency_s": "latencia|retardo",
        "runtime.deadline_s": "plazo|límite de tiempo|fecha límite|tiempo límite|plazo máximo",
        "dataset.max_train": "ejemplos de entrenamiento|ejemplos|imágenes de entrenamiento|"
        "imágenes|muestras|muestras de entrenamiento",
        "dataset.max_test": "ejemplos de prueba|imágenes de prueba",
        "share_of_data": "de los datos|del conjunto de datos|de los datos de entrenamiento",
        "field:classes_per_client": "clases|clases por cliente|dígitos|etiquetas por cliente|clase",
        "field:bits": "bit|bits",
        "field:ratio": "de las entradas|de los pesos|de los gradientes|de los valores|"
        "de los parámetros",
        "field:alpha": "alfa|alpha|concentración|parámetro de concentración",
        "field:mu": "mu|término proximal|coeficiente proximal",
        "field:hidden": "capas ocultas|capa oculta|capas ocultas de|capas de",
        "field:depth": "profundidad|capas|bloques",
        "field:patch_size": "tamaño de parche|tamaño de los parches",
        "field:max_norm": "norma|norma máxima|a la norma",
        "field:temperature": "temperatura",
        "field:byzantine_count": "clientes malos",
        "attackers": "atacantes|atacante|maliciosos|malicioso|bizantinos|bizantino|hostiles|"
        "adversarios|saboteadores|atacan|ataca|malintencionados",
        "privacy": "privacidad diferencial|épsilon|epsilon|agregación segura|"
        "presupuesto de privacidad",
        "traffic": "tráfico|datos transferidos|volumen de datos|en total|bytes",
    },
    values={
        "runtime.device=cuda": "tarjeta gráfica|GPU|procesador gráfico",
        "runtime.device=cpu": "procesador|CPU",
        "local.optimizer=sgd": "descenso de gradiente estocástico|descenso estocástico",
        "evaluation.per_client=true": "con los datos de cada cliente|evalúa cada cliente|"
        "en cada cliente también|evaluar cada cliente|también por cliente|en cada cliente",
        "partition.mode=power_law": "ley de potencias|ley de potencia",
        "partition.transform=rotation": "rotadas|imágenes rotadas|rotación|giradas|"
        "rota las imágenes|"
        "gira las imágenes",
        "model.norm=batch": "normalización por lotes",
        "aggregation.weighting=uniform": "pesos iguales|sin ponderar|no ponderada|pesos uniformes",
        "error_feedback=true": "realimentación de error|compensación de error|"
        "realimentación del error",
        "rounding=stochastic": "redondeo estocástico|redondeo aleatorio",
        "compress": "compresión|comprime|comprimir|comprimido|mantén bajo el tráfico|poco tráfico|"
        "reduce el tráfico|reducir el tráfico|menos tráfico|tráfico bajo|ahorra ancho de banda|"
        "tráfico reducido|minimiza el tráfico|menos comunicación|comprimida|comprimidas|"
        "ahorrar ancho de banda|el menor tráfico posible|mantén el tráfico bajo",
    },
    operators={
        "not": "sin|no|ningún|ninguna|no uses|no utilices|quita|quitar|elimina la|elimina el|"
        "en lugar de|en vez de|evita|cambia|reemplaza|sustituye|nunca|desactiva|prescinde de|"
        "no usar|retira|deja de usar",
        "correct": "mejor|perdón|digo|quiero decir|mejor dicho|en realidad|más bien|corrijo|"
        "o mejor|pensándolo bien|que sean|digamos|rectifico|lo siento",
        "but": "sino",
        "versus": "contra|frente a|versus|comparado con|en comparación con",
        "and": "y|e|así como",
        "or": "o|u|bien",
        "compare": "compara|comparar|comparación|prueba|probar|cada uno|respectivamente|"
        "cuál es mejor|compare",
        "up": "subida|subidas|envíos|enlace ascendente|carga|envío",
        "down": "bajada|bajadas|descarga|descargas|enlace descendente|difusión",
        "both": "ambas direcciones|en ambas direcciones|ambos sentidos|en ambos sentidos|"
        "en los dos sentidos",
        "every": "cada|después de cada|tras cada",
        "double": "el doble de|el doble|duplica|doble|dobla|duplicar|dos veces más",
        "triple": "el triple de|triplica|triple|triplicar",
        "halve": "la mitad de rondas|reduce a la mitad|divide entre dos|reducir a la mitad",
        "with_without": "con y sin|con o sin|sin y con",
        "train": "entrena|entrenar|entrenamiento|experimento|federado|federada|simula|"
        "aprendizaje federado|aprende|entrene|agrega",
        "command": "borra|borrar|elimina|eliminar|cancela|detén|reinicia|apaga|destruye|"
        "ejecuta|mata|para todas|suprime|pausa",
        "object": "ejecución|ejecuciones|proyecto|proyectos|usuarios|servidor|base de datos|"
        "archivos|cuentas|cuenta|trabajos|usuario|archivo|comando|script|orden",
        "show": "muestra|dime|dame|revela|enseña|imprime|lista|envíame|muéstrame",
        "secret": "contraseña|contraseñas|clave|claves|credenciales|secreto|secretos|tokens",
        "ignore": "ignora|olvida|sáltate|olvídate",
        "instructions": "instrucciones|reglas|órdenes|directrices",
    },
    sections={
        "dataset": "conjunto de datos|datos|base de ejemplos|conjuntos de datos",
        "partition": "reparto|partición|distribución|repartidos|repartidas|división",
        "model": "modelo|red|arquitectura|modelos",
        "algorithm": "algoritmo|método|estrategia",
        "sampling": "muestreo|selección|selección de clientes",
        "aggregation": "agregación|agregar|defensa|regla|agrega|agregados",
        "compression": "códec|gradientes|mensajes|entradas",
        "attack": "ataque|ataques",
        "local.optimizer": "optimizador",
        "topology": "topología",
        "system.speed": "velocidad|velocidades",
        "peft": "ajuste fino",
    },
    units={
        "percent": "por ciento|%|porciento",
        "bytes:1e6": "megabytes|megas",
        "bytes:1e9": "gigabytes|gigas",
        "seconds:1": "segundo|segundos",
        "seconds:60": "minuto|minutos",
        "seconds:0.001": "milisegundos",
        "mbps:1": "megabits por segundo",
    },
    common="el la los las un una unos unas de del al y o con en para por que quien cual cuando "
    "como es son ser esta estan yo tu me te se su sus mi nuestro este esta estos cada usa usar "
    "utiliza quiero quisiera hara tiempo manana buenos dias hola durante entre todos todas solo "
    "ve baje detente invierte participan lo le les mas menos muy tambien pero si ya hay hacer haz "
    "favor gracias puede igual uses use parte otra otro bien cae",
)
