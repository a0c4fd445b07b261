// The page: shows new datasets, and the steps of the requests that lead to them.
import { follow, prepend } from "./feed_files/feed.js";

const by = (id) => document.getElementById(id);
const STEPS = {
  AnonimacionIniciada: "Anonimización iniciada",
  DicomAnonimizado: "Imagen anonimizada",
  AnonimacionFallida: "La anonimización falló",
  RollbackAnonimacion: "Imagen eliminada",
  MapeoIniciado: "Mapeo iniciado",
  ParquetMapeado: "Archivo Parquet escrito",
  MapeoFallido: "El mapeo falló",
  RollbackMapeo: "Archivo Parquet eliminado",
  ProcesamientoIniciado: "Procesamiento iniciado",
  DatasetCreado: "Dataset creado",
  ProcesamientoFallido: "El procesamiento falló",
  RollbackProcesamiento: "Dataset descartado",
};

follow((frame, text) => {
  const data = frame.data ?? {};
  if (data.id_dataset_medico !== undefined) {
    prepend(by("mensajes"), frame, text, data.id_dataset_medico, "Dataset listo");
    by("sin-datasets").hidden = true;
    return;
  }
  const item = prepend(by("pasos"), frame, text, data.id_saga, STEPS[data.paso] ?? data.paso);
  item.classList.toggle("rechazo", /Fallid|Rollback/.test(data.paso));
  by("sin-pasos").hidden = true;
});
